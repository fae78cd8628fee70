// Makes the requests of all cases, one after the other, and tells what the script sees of the answers.

// Which lines a connection has is no matter of CORS.
const NOT_SHOWN = ['connection', 'date', 'keep-alive', 'transfer-encoding'];

async function play({ url, method, headers, credentials, body }) {
    try {
        // A list of pairs: a `Headers` object would have joined the lines of one name.
        const init = { method, headers, credentials, body: body ?? undefined };
        const response = await fetch(url, init);
        const names = [...response.headers.keys()].filter((name) => !NOT_SHOWN.includes(name));
        return `${response.status} ${names.join(',')}`;
    } catch (error) {
        return error instanceof TypeError ? 'TypeError' : `${error.name ?? error}`;
    }
}

// The tests send a list. They do not call the page's functions themselves, because scripts of
// Firefox's driver have rights that those of a page have not.
addEventListener('message', async ({ data }) => {
    if (!data.cases) return;
    const results = [];
    for (const requests of JSON.parse(data.cases)) {
        const seen = [];
        for (const request of requests) seen.push(await play(request));
        results.push(seen.join('; '));
    }
    postMessage({ results }, '*');
});
