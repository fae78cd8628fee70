// What the module with the feature `js` answers. The clock is moved by replacing `Date.now`.

import assert from 'node:assert/strict';
import { createHash, createPrivateKey, generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';

const page = 'https://app.example';
const stranger = 'https://evil.example';
const varies = 'access-control-request-method,access-control-request-headers';
const uncached = 'cache-control: no-store';
const simple = 'access-control-allow-methods: GET,HEAD,POST';

export function playJavascript(folder) {
  const load = () => instance(folder);
  playClock(load);
  playLimits(load());
  playTokens(load());
  playSigned(load());
  playRegistry(load());
}

/** Another instance of the module, as another isolate would have. */
function instance(folder) {
  const require = createRequire(import.meta.url);
  const glue = resolve(folder, 'javascript.js');
  delete require.cache[glue];
  return require(glue);
}

/** Stops the clock of JavaScript, so many seconds later. */
function pass(seconds) {
  const now = Date.now() + seconds * 1000;
  Date.now = () => now;
}

function playClock(load) {
  const { counted, now, random } = load();
  const before = Date.now();
  const told = now();
  assert.ok(before <= told && told <= Date.now(), `${before} ${told}`);

  // Without numbers from JavaScript, two instances would draw the same.
  const drawn = [random(), random(), load().random()];
  assert.equal(new Set(drawn).size, 3, drawn.join());

  assert.deepEqual(counted().split('\n'), [
    'tower_cors_requests_total{layer="shop",kind="actual",outcome="allowed",reason="none"} 1',
    'tower_cors_requests_total{layer="shop",kind="actual",outcome="forwarded",reason="origin_not_allowed"} 1',
  ]);
}

function playLimits({ Logged, Tenants }) {
  const refusal =
    'message=request refused: the origin is not allowed: add it to allow_origins, ' +
    'or to what the policy reads kind=OriginNotAllowed origin="https://evil.example" method="GET" path="/" ';
  pass(0);
  const logged = new Logged();
  assert.equal(logged.flood(), `20 events: ${refusal}`);
  assert.equal(logged.flood(), '0 events: ');
  pass(1);
  assert.equal(logged.flood(), `20 events: ${refusal}`);

  const tenants = new Tenants();
  const answer =
    `tenant: 204 | ${simple} | access-control-allow-origin: https://tenant.example | ` +
    `${uncached} | vary: origin,${varies}`;
  assert.equal(tenants.preflight(), `${answer}; lookups: 1`);
  assert.equal(tenants.preflight(), `${answer}; lookups: 1`);
  pass(6);
  assert.equal(tenants.preflight(), `${answer}; lookups: 2`);
}

const granted = `request: 200 | access-control-allow-origin: ${page} | vary: origin,authorization`;
const denied = `request: 403 | ${uncached} | vary: origin,authorization`;
const challenge = `${uncached} | vary: origin,authorization | www-authenticate: Bearer error="invalid_token"`;
const invalid = `request: 401 | ${challenge}`;
// The page that the token names may read that it has to get another.
const expired =
  `request: 401 | access-control-allow-origin: ${page} | ` +
  `access-control-expose-headers: www-authenticate | ${challenge}`;

function playTokens({ Issuer }) {
  const issuer = new Issuer();
  const token = issuer.mint();
  assert.match(token, /^[\w-]+\.[\w-]+\.[\w-]+$/);
  assert.notEqual(issuer.mint(), token, 'ids differ');
  const start = `preflight: 204 | access-control-allow-headers: authorization | ${simple} | access-control-allow-origin: ${page}`;
  const end = `${uncached} | vary: origin,authorization,${varies}`;
  const preflight = `${start} | ${end}`;
  const refused = `preflight: 403 | ${end}`;
  assert.equal(issuer.preflight(page), preflight);
  assert.equal(issuer.preflight(stranger), refused);
  assert.equal(issuer.call(page, token), granted);
  assert.equal(issuer.call(stranger, token), denied);
  assert.equal(issuer.call(page, `${token}A`), invalid);

  pass(11 * 60);
  assert.equal(issuer.call(page, token), expired);
  // Without it, the page could not read that the token has expired.
  assert.equal(issuer.preflight(page), `${start} | access-control-max-age: 0 | ${end}`);

  const later = issuer.mint();
  assert.equal(issuer.preflight(page), preflight);
  assert.equal(issuer.call(page, later), granted);
  assert.equal(issuer.revoke(), 'revoked');
  assert.equal(issuer.call(page, later), invalid);
  assert.equal(issuer.preflight(page), refused);
}

const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A JWT that Node has signed, with Ed25519. */
function jwt(header, claims, key) {
  const message = `${encode({ alg: 'EdDSA', ...header })}.${encode(claims)}`;
  return `${message}.${sign(null, Buffer.from(message), key).toString('base64url')}`;
}

const sha256 = (text) => createHash('sha256').update(text).digest('base64url');

/** Tokens and proofs that are not the crate's own. */
function playSigned({ Issuer, private_key }) {
  const issuer = new Issuer();
  const key = createPrivateKey(private_key());
  const now = Math.floor(Date.now() / 1000);
  const header = { typ: 'JWT', kid: '2026-11' };
  const claims = { iss: 'https://id.example', aud: 'chat', iat: now, exp: now + 60, jti: '1', ao: page };
  const other = generateKeyPairSync('ed25519');
  assert.equal(issuer.call(page, jwt(header, claims, key)), granted);
  assert.equal(issuer.call(stranger, jwt(header, claims, key)), denied);
  assert.equal(issuer.call(page, jwt(header, { ...claims, exp: now - 120 }, key)), expired);
  assert.equal(issuer.call(page, jwt(header, claims, other.privateKey)), invalid);

  const { crv, kty, x } = other.publicKey.export({ format: 'jwk' });
  const jkt = sha256(JSON.stringify({ crv, kty, x }));
  const bound = jwt(header, { ...claims, cnf: { jkt } }, key);
  const proof = (signer, iat) =>
    jwt(
      { typ: 'dpop+jwt', jwk: { crv, kty, x } },
      { jti: randomUUID(), htm: 'GET', htu: 'https://api.example/', iat, ath: sha256(bound) },
      signer,
    );
  const once = proof(other.privateKey, now);
  assert.equal(issuer.call_bound(page, bound, once), granted);
  assert.equal(issuer.call_bound(page, bound, once), invalid, 'used twice');
  assert.equal(issuer.call_bound(stranger, bound, proof(other.privateKey, now)), denied);
  assert.equal(issuer.call_bound(page, bound, proof(other.privateKey, now - 120)), invalid);
  assert.equal(issuer.call_bound(page, bound, proof(key, now)), invalid);
}

function playRegistry({ Registry }) {
  const shop = 'https://shop.example';
  const registry = new Registry();
  const unready = `request: 503 | ${uncached} | vary: origin`;
  const denied = `request: 403 | ${uncached} | vary: origin`;
  assert.equal(registry.call(shop), unready);
  assert.equal(registry.load(), 'loaded');
  assert.equal(registry.call(shop), denied);
  assert.equal(Number(registry.trust(shop)), Date.now());
  assert.equal(registry.load(), 'loaded');
  assert.equal(registry.call(shop), `request: 200 | access-control-allow-origin: ${shop} | vary: origin`);
  assert.equal(registry.call(stranger), denied);
  pass(61);
  assert.equal(registry.call(shop), unready);
  assert.equal(registry.load(), 'loaded');
  assert.equal(registry.call(shop), `request: 200 | access-control-allow-origin: ${shop} | vary: origin`);
  assert.equal(registry.open_file(), 'origins.toml: operation not supported on this platform');
}
