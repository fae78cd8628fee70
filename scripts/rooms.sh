#!/usr/bin/env bash
# Which folder may import from which: scripts/rooms.sh, without arguments. Fails where a file imports
# from a folder that its line below does not name. Every folder stands below the ones that it may
# import, so there is no circle.
#
# The library and cors-doctor are two crates, so `crate::` means another root in each. Both are checked
# by the same rules.
set -euo pipefail
cd "$(dirname "$0")/.."

# room: the rooms that it may import. `tests` and documentation count like other code; paths in
# comments do not.
library='
debug_as_display:
escaped: origin
build_errors: lines
error: origin build_errors settings debug_as_display
leftover:
lines:
lock:
settings:
pairs:
random:
time:
origin: pairs leftover debug_as_display
fetch: pairs
request: fetch origin
lists: error fetch origin leftover
policy: escaped lists origin request
observe: policy request origin escaped debug_as_display
protocol: observe policy lists request fetch origin
explain: protocol policy lists request fetch origin escaped
layer: explain protocol observe policy request origin escaped error time
config: layer protocol observe policy lists origin error
gate: layer protocol escaped
host: gate layer lists fetch request origin error build_errors escaped debug_as_display
fetch_metadata: gate config layer protocol policy lists request fetch origin error escaped
routes: config layer protocol observe policy lists request error
revocation: random time lock debug_as_display
preflight: observe policy request origin lists error time lock debug_as_display
preflight/issued: preflight revocation policy request origin random time lock debug_as_display
token: origin
token/claim: origin debug_as_display
token/verify: token/claim random time policy lock build_errors debug_as_display
token/verify/jwt: token/verify token/claim time debug_as_display
token/verify/jwks: token/verify token/verify/jwt token/claim time lock debug_as_display
token/verify/introspection: token/verify token/claim time policy observe lock debug_as_display
token/verify/dpop: token/verify token/verify/jwt token/claim origin time lock debug_as_display
token/verify/issuers: token/verify token/verify/jwt token/verify/jwks debug_as_display
token/verify/reqwest: token/claim token/verify token/verify/jwks token/verify/introspection debug_as_display
token/source: token/verify request origin
token/origins: token/source token/claim token/verify observe policy preflight request origin time lists debug_as_display
token/issue: token/claim token/verify preflight revocation origin time lines debug_as_display
token/issue/mint: token/issue token/claim token/verify token/verify/jwt preflight revocation time lines debug_as_display
trusted:
trusted/entry: origin random debug_as_display
trusted/source: trusted/entry random debug_as_display
trusted/registry: trusted trusted/source trusted/entry observe policy request origin lists time lock debug_as_display
trusted/store: trusted trusted/registry trusted/source trusted/entry random time lock lines debug_as_display
trusted/replica: trusted/registry trusted/source trusted/entry trusted random lock
test_util: fetch origin layer policy debug_as_display
test_util/browser: test_util origin policy time escaped lock debug_as_display
test_util/conformance: test_util layer origin policy request escaped debug_as_display
guide:
'
doctor='
failure:
secrets:
exchange: failure
net: exchange failure
lab: net exchange
page:
fetch: page
case: fetch page secrets
judge: exchange fetch page
browse: lab judge case net exchange fetch page
cause: browse lab judge case exchange failure page secrets
warn: cause browse lab judge case net exchange fetch page
explain: cause browse lab judge case net exchange failure fetch page
explain/fix: explain cause case failure page
report: explain warn cause browse case exchange secrets
args: net fetch page
examine: args report explain warn cause browse lab case page
run: args examine report
'

# check FOLDER ROOT ROOMS: a crate, the file that is its root, and its lines above.
check() {
    FOLDER=$1 ROOT=$2 ROOMS=$3 perl -e '
        use strict; use warnings;
        my %may;
        for (split /\n/, $ENV{ROOMS}) { $may{$1} = { map { $_ => 1 } split " ", $2 } if /^(\S+):\s*(.*)$/ }
        my $room_of = sub {            # the longest room that the path lies in
            my @parts = @_;
            while (@parts) { my $room = join "/", @parts; return $room if $may{$room}; pop @parts }
            return undef;
        };
        my $bad = 0;
        my $complain = sub { print STDERR "$_[0]\n"; $bad = 1 };
        my ($folder, $root) = @ENV{"FOLDER", "ROOT"};
        for my $file (sort grep { $_ ne "$folder/$root" } split /\n/, `git ls-files -co --exclude-standard "$folder/*.rs" "$folder/**/*.rs"`) {
            next unless -e $file;
            (my $path = $file) =~ s{^\Q$folder\E/|(/mod)?\.rs$}{}g;
            next if $path =~ m{^bin/};   # programs are crates of their own
            my $own = $room_of->(split m{/}, $path);
            $complain->("$file lies in no room: add a line to scripts/rooms.sh"), next unless defined $own;
            open my $in, "<", $file or die "$file: $!";
            my $text = do { local $/; <$in> };
            $text =~ s{//[^\n]*}{}g;
            my @paths;
            # Trees: use crate::{a::{b, c}, d::e};
            my $expand; $expand = sub {
                my ($prefix, $tree) = @_;
                my ($depth, $part, @parts) = (0, "");
                for my $c (split //, $tree) {
                    $depth++ if $c eq "{"; $depth-- if $c eq "}";
                    if ($c eq "," && !$depth) { push @parts, $part; $part = "" } else { $part .= $c }
                }
                for (@parts, $part) {
                    s/\s+/ /g; s/^ | $//g; next if $_ eq "";
                    if (/^([\w: ]*?)(?:::)?\{(.*)\}$/s) { $expand->($1 eq "" ? $prefix : "$prefix$1\::", $2) }
                    else { push @paths, $prefix . $_ }
                }
            };
            while ($text =~ /\buse\s+crate::([^;]+);/g) { $expand->("", $1) }
            (my $rest = $text) =~ s/\buse\s+crate::[^;]+;//g;
            push @paths, $1 while $rest =~ /\bcrate::([\w:]+)/g;
            for my $import (@paths) {
                $import =~ s/ as .*//;
                my $target = $room_of->(split /::/, $import);
                $complain->("$file: crate::$import: name the room that defines it"), next unless defined $target;
                next if $target eq $own || $may{$own}{$target};
                $complain->("$file: crate::$import: $own may not import $target");
            }
        }
        # The lines above contain no circle.
        my %state;
        my $visit; $visit = sub {
            my ($room, @trail) = @_;
            return if ($state{$room} // 0) == 2;
            if (($state{$room} // 0) == 1) { $complain->("a circle of rooms: " . join(" -> ", @trail, $room)); return }
            $state{$room} = 1;
            $visit->($_, @trail, $room) for sort keys %{ $may{$room} // {} };
            $state{$room} = 2;
        };
        $visit->($_) for sort keys %may;
        exit $bad;
    '
}

failed=0
check src lib.rs "$library" || failed=1
check src/bin/cors-doctor main.rs "$doctor" || failed=1
exit $failed
