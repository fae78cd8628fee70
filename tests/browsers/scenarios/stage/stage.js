// Functions for the scripts of the scenarios. Loaded by pages, frames and workers.

// `stage` is { id, page, service, services } of the scenario.
async function runScenario(about, script) {
    globalThis.stage = about;
    const AsyncFunction = (async () => {}).constructor;
    const late = new Promise((done) => setTimeout(done, 25000, 'nothing in 25 s'));
    try {
        return await Promise.race([new AsyncFunction(script)(), late]);
    } catch (error) {
        return describe(error);
    }
}

// --- Addresses ---

// Pages are at localhost and services at 127.0.0.1, which makes them two sites.
function at(service, path, host = '127.0.0.1') {
    return `http://${host}:${stage.services[service]}/${stage.id}/${path}`;
}

function url(path, host) {
    return at(stage.service, path, host);
}

function redirecting(service, path, status = 302) {
    return `${at(service, 'redirect')}?status=${status}&to=${encodeURIComponent(path)}`;
}

// --- Requests ---

// The path of the scenario's service, or a whole URL.
async function call(path, init) {
    return describeResponse(await fetch(path.includes('://') ? path : url(path), init));
}

async function describeResponse(response) {
    if (response.type !== 'cors' && response.type !== 'basic') return response.type;
    return `${response.status} ${await response.text()}`.trim();
}

// Engines word the messages differently, and none tells the page the cause.
function describe(error) {
    return error instanceof TypeError ? 'TypeError' : `${error.name ?? error}`;
}

async function each(...calls) {
    const results = [];
    for (const call of calls) results.push(await call().catch(describe));
    return results.join(', ');
}

function xhr(path, { method = 'GET', body, headers = {}, credentials = false, progress = false }) {
    return new Promise((done) => {
        const request = new XMLHttpRequest();
        let seen = 0;
        if (progress) request.upload.onprogress = () => { seen += 1; };
        request.open(method, url(path));
        request.withCredentials = credentials;
        for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
        request.onload = () => {
            const status = `${request.status} ${request.responseText}`.trim();
            done(progress ? `${status}, ${seen > 0 ? 'progress' : 'no progress'}` : status);
        };
        request.onerror = () => done(`error, status ${request.status}`);
        request.send(body);
    });
}

function events(path, init) {
    return new Promise((done) => {
        const source = new EventSource(url(path), init);
        source.addEventListener('greeting', ({ data }) => { source.close(); done(data); });
        source.onerror = () => {
            const closed = source.readyState === EventSource.CLOSED;
            source.close();
            done(closed ? 'error, closed' : 'error, connecting');
        };
    });
}

function socket(target) {
    return new Promise((done) => {
        const socket = new WebSocket(target.replace('http:', 'ws:'));
        socket.onmessage = ({ data }) => { done(data); socket.close(); };
        socket.onerror = () => done('error');
    });
}

// For requests whose end the page does not learn of. Tells whether so many have arrived.
async function arrived(count) {
    for (let i = 0; i < 200; i++) {
        const response = await fetch(`${stage.page}/arrivals/${stage.id}`);
        if (Number(await response.text()) >= count) return 'arrived';
        await pause(50);
    }
    return 'not arrived';
}

function pause(milliseconds) {
    return new Promise((done) => setTimeout(done, milliseconds));
}

// --- Elements ---

function load(name, attributes) {
    const element = document.createElement(name);
    const loaded = new Promise((done) => {
        element.onload = () => done('loaded');
        element.onerror = () => done('error');
    });
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    document.head.append(element);
    return loaded.then((result) => ({ result, element }));
}

// The form's answer goes to a frame that the page cannot read, or replaces the page.
function submit(action, target = `frame-${stage.id}`) {
    const form = document.createElement('form');
    Object.assign(form, { method: 'post', action, target, enctype: 'text/plain' });
    const input = document.createElement('input');
    Object.assign(input, { name: 'text', value: 'hello', type: 'hidden' });
    form.append(input);
    const frame = document.createElement('iframe');
    frame.name = `frame-${stage.id}`;
    document.body.append(frame, form);
    form.submit();
}

// --- Other contexts ---

// Runs a script in a frame that loads this file, too.
function inFrame(attributes, script) {
    const frame = document.createElement('iframe');
    for (const [name, value] of Object.entries(attributes)) frame.setAttribute(name, value);
    return new Promise((done) => {
        const listen = ({ source, data }) => {
            if (source !== frame.contentWindow) return;
            if (data.ready) {
                source.postMessage({ about: stage, script }, '*');
            } else if ('result' in data) {
                removeEventListener('message', listen);
                frame.remove();
                done(data.result);
            }
        };
        addEventListener('message', listen);
        document.body.append(frame);
    });
}

function frameHtml() {
    return `<!doctype html><script src="${stage.page}/stage.js"></script>`;
}

function inWorker(worker, script) {
    return new Promise((done) => {
        const port = worker.port ?? worker;
        worker.onerror = () => done('the worker fails');
        port.onmessage = ({ data }) => { worker.terminate?.(); done(data.result); };
        port.postMessage({ about: stage, script });
    });
}

// The scripts of scenarios see globals only, and in a module there would be none.
Object.assign(globalThis, {
    at, url, redirecting, call, describeResponse, describe, each, xhr, events, socket, arrived, pause,
    load, submit, inFrame, frameHtml, inWorker,
});

if (typeof document === 'undefined') {
    const answer = (port) => async ({ data }) => {
        port.postMessage({ result: await runScenario(data.about, data.script) });
    };
    if ('onconnect' in self) {
        self.onconnect = ({ ports: [port] }) => { port.onmessage = answer(port); };
    } else {
        self.onmessage = answer(self);
    }
} else if (parent !== window) {
    addEventListener('message', async ({ data }) => {
        if (!data.about) return;
        parent.postMessage({ result: await runScenario(data.about, data.script) }, '*');
    });
    parent.postMessage({ ready: true }, '*');
} else {
    // The tests send a list. They do not call the page's functions themselves, because scripts of
    // Firefox's driver have rights that those of a page have not.
    addEventListener('message', async ({ data }) => {
        if (!data.batch) return;
        const results = [];
        for (const { about, script } of JSON.parse(data.batch)) {
            results.push(`${await runScenario(about, script)}`);
        }
        postMessage({ results }, '*');
    });
}
