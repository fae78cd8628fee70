// Runs the modules that scripts/wasm.sh has built, and compares what they answer, header for header.
//
// usage: node run.mjs PLAIN.wasm FOLDER (that of the glue of the module with the feature `js`)

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';

import { playJavascript } from './javascript.mjs';

const [plain, folder] = process.argv.slice(2);

const allowed =
  'access-control-allow-credentials: true | access-control-allow-origin: https://app.example';
const granted =
  'access-control-allow-credentials: true | access-control-allow-headers: x-a | ' +
  'access-control-allow-methods: PUT | access-control-allow-origin: https://app.example';
const varies = 'vary: origin,access-control-request-method,access-control-request-headers';

// No imports: the module needs nothing of its host.
const { instance } = await WebAssembly.instantiate(await readFile(plain), {});
const start = instance.exports.play();
const memory = new Uint8Array(instance.exports.memory.buffer);
const text = new TextDecoder().decode(memory.subarray(start, memory.indexOf(0, start)));
assert.deepEqual(text.split('\n'), [
  `allowed: 200 | ${allowed} | access-control-expose-headers: x-b | vary: origin`,
  'forwarded: 200 | vary: origin',
  `preflight: 204 | ${granted} | ${varies}`,
  `preflight for less: 204 | ${granted} | ${varies}`,
  `preflight refused: 403 | ${varies}`,
  'no origin: 200 | vary: origin',
  'refused: 403 | vary: origin',
  'mistakes: allow_origins: "https://bücher.example": browsers send the ASCII form of a host, ' +
    'whose labels begin with xn--: write "https://xn--bcher-kva.example"',
  'from a file: 200 | access-control-allow-origin: https://a.file.example | vary: origin',
  'reloaded: 200 | access-control-allow-origin: https://evil.example | vary: origin',
  'axum: 200 | access-control-allow-origin: * | content-length: 4 | content-type: text/plain; charset=utf-8',
  'https://app.example reads hello',
  "https://evil.example fails: no 'Access-Control-Allow-Origin' header is present on the requested resource",
  // Without a clock there is no limit.
  '30 events: message=request refused: the origin is not allowed: add it to allow_origins, ' +
    'or to what the policy reads kind=OriginNotAllowed origin="https://evil.example" method="GET" path="/" ',
]);
if (folder) {
  playJavascript(folder);
}
console.log('   every answer is as it should be');
