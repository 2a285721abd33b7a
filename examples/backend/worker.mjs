// SPDX-License-Identifier: Apache-2.0
/**
 * A Cloudflare Worker in front of an endpoint that passes events on (Conversions API, Measurement Protocol): a request
 * of a visitor who has not agreed is answered with 204 and goes no further. WebCrypto only; `wrangler deploy worker.mjs`
 * with the variables CONSENT_SERVER, SITE, VENDOR and PURPOSES (with a space between them).
 * See docs/formats/cookie.md, section 4.
 */
const LONGEST_TOKEN = 512;
const LONGEST_CHOICE = 395 * 86400; // no site file may ask for more
const CLOCK_SKEW = 60;
// How long keys are kept, and how soon they may be asked for again when a token names one that is not among them.
const KEEP = 86400_000;
const ASK_AGAIN = 300_000;

export default {
  async fetch(request, env) {
    const cookies = request.headers.get("Cookie") ?? "";
    const allowed = await allows(env, cookies, env.VENDOR, env.PURPOSES.split(" "));
    return allowed ? fetch(request) : new Response(null, { status: 204 });
  },
};

/** Whether the Cookie header of a request lets an event for these purposes go to this vendor. In doubt: no. */
export async function allows(env, cookies, vendor, purposes) {
  try {
    const { grants, vendors = {} } = await readClaims(env, readToken(cookies));
    // A vendor that the visitor answered for itself goes by that answer, any other by its purposes.
    return isGranted(vendors, vendor) ?? purposes.some((purpose) => isGranted(grants, purpose));
  } catch {
    return false;
  }
}

async function readClaims(env, token) {
  const [header, payload, signature] = token.split(".");
  const { alg, typ, kid, ...others } = parse(decode(header));
  // The algorithm is named here and never taken from the token: the token must not choose how it is checked.
  if (alg !== "EdDSA" || typ !== "consent-state+jwt" || Object.keys(others).length) throw Error("no state token");
  const { key, retiredAt } = await readKey(env.CONSENT_SERVER, kid);
  const signed = new TextEncoder().encode(`${header}.${payload}`);
  if (!(await crypto.subtle.verify("Ed25519", key, decode(signature), signed))) throw Error("forged");
  const claims = parse(decode(payload));
  const now = Date.now() / 1000;
  if (claims.site !== env.SITE || !Number.isInteger(claims.iat) || !Number.isInteger(claims.exp)) {
    throw Error("another site's, or not dated");
  }
  const latest = Math.min(now, retiredAt) + CLOCK_SKEW;
  if (claims.iat > latest || claims.exp <= now || claims.exp - claims.iat > LONGEST_CHOICE) {
    throw Error("not in force");
  }
  return claims;
}

// A Worker keeps what stands here from request to request, for as long as it is kept itself.
let keys = new Map();
let fetchedAt = -Infinity;

async function readKey(server, kid) {
  const now = Date.now();
  if (now - fetchedAt > (keys.has(kid) ? KEEP : ASK_AGAIN)) {
    // Each request for itself, since a Worker may not wait for another request's answer; Cloudflare's cache joins them.
    keys = await fetchKeys(server);
    fetchedAt = now;
  }
  const key = keys.get(kid);
  if (!key) throw Error("unknown key");
  return key;
}

async function fetchKeys(server) {
  const options = { signal: AbortSignal.timeout(5000), cf: { cacheEverything: true, cacheTtl: ASK_AGAIN / 1000 } };
  const answer = await fetch(`${server.replace(/\/$/, "")}/.well-known/jwks.json`, options);
  if (!answer.ok) throw Error("no keys");
  // `exp`: since when a key signs no more. Of a revoked key nothing holds.
  const good = (await answer.json()).keys.filter(
    ({ kty, crv, alg, exp = 0, revoked }) =>
      kty === "OKP" && crv === "Ed25519" && alg === "EdDSA" && Number.isInteger(exp) && revoked === undefined,
  );
  // Without `alg`: WebCrypto calls it Ed25519, and some refuse the older name.
  const read = ({ kty, crv, x }) => crypto.subtle.importKey("jwk", { kty, crv, x }, "Ed25519", false, ["verify"]);
  const dated = async (key) => [key.kid, { key: await read(key), retiredAt: key.exp ?? Infinity }];
  return new Map(await Promise.all(good.map(dated)));
}

// Undefined where there is no answer.
function isGranted(answers, key) {
  if (Object.prototype.toString.call(answers) !== "[object Object]") throw Error("no answers");
  return Object.hasOwn(answers, key) ? answers[key] === true : undefined;
}

function readToken(cookies) {
  // Once, and with one state in it: of two, nobody can tell which is the visitor's.
  const [cookie, another] = [...cookies.matchAll(/(?:^|;)[ \t]*eu-consent=([^;]*)/g)];
  const [state, second] = [...cookie[1].matchAll(/(?:^|&)s=([^&]*)/g)];
  if (another || second || state[1].length > LONGEST_TOKEN || state[1].split(".").length !== 3) throw Error("no token");
  return state[1];
}

function decode(part) {
  if (!/^[\w-]+$/.test(part)) throw Error("not base64url");
  const data = atob(part.replaceAll("-", "+").replaceAll("_", "/"));
  // The last character may hold bits that decoders pass over: one token has one spelling.
  if (btoa(data).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "") !== part) throw Error("not canonical");
  return Uint8Array.from(data, (character) => character.charCodeAt(0));
}

function parse(bytes) {
  return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
}
