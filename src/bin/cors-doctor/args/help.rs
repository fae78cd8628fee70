pub(super) const HELP: &str = "\
cors-doctor URL... --origin ORIGIN

Asks a live server as the browser of a page of ORIGIN would, and names the cause
of a failure and its fix. URLs are http, https, ws or wss.

The page
  --origin O               its origin, its URL, or null
  --page URL               fetches the page for its origin and policy
  -X, --method M           as the page passes them to fetch()
  -H, --header 'N: V'
  -d, --body TEXT|@FILE
  --credentials            credentials mode include
  --cookie 'a=b; c=d'      cookies that the browser keeps for the URL
  --reads NAME             a response header that the script reads
  --preflight              upload progress or a streamed body: preflight anyway
  --send                   sends methods other than GET and HEAD, too
  --curl COMMAND|-         the request of a \"copy as cURL\"
  --har FILE               the cross-origin requests of a HAR file; browsers export
                           no cookies, so say --credentials or --cookie, which
                           count for all of them. -X, -H, -d do not go with it

The server
  --upstream URL           the same behind the proxy, to compare
  --connect-to HOST:PORT:ADDRESS:PORT
  --cacert FILE            one more authority (PEM)
  -k, --insecure           no check of certificates
  --timeout SECONDS        for each exchange; 10

The doctor
  --browser chromium|standard
  --no-probes              nothing but what the browser sends
  --watch [SECONDS]        again until the exit code is 0
  --json                   one object for each URL
  --strict                 a warning counts as a failure
  --show-secrets           prints tokens and cookies

Exit codes: 0 readable, 1 a cause, 2 a mistake on the command line, 3 no HTTP
answer, 4 not tried for want of --send.
";

pub(super) const VERSION: &str = concat!("cors-doctor ", env!("CARGO_PKG_VERSION"), "\n");
