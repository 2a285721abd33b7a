// SPDX-License-Identifier: Apache-2.0
/**
 * Before a back end sends an event (Conversions API, Measurement Protocol): has this visitor agreed? Node 18 or newer.
 *
 *     node check_state.mjs SERVER SITE VENDOR PURPOSE…
 *
 * reads one Cookie header a line and answers each with true or false. See docs/formats/cookie.md, section 4.
 */
import { createPublicKey, verify } from "node:crypto";
import { realpathSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const LONGEST_TOKEN = 512;
const LONGEST_CHOICE = 395 * 86400; // no site file may ask for more
const CLOCK_SKEW = 60;
// How long keys are kept, and how soon they may be asked for again when a token names one that is not among them.
const KEEP = 86400_000;
const ASK_AGAIN = 300_000;

/** The choices of one site's visitors, checked offline. In doubt the answer is no. */
export class StateCheck {
  #address;
  #site;
  #keys = new Map();
  #fetchedAt = -Infinity;
  #askedAt = -Infinity;
  #asking;

  constructor(server, site) {
    this.#address = `${server.replace(/\/$/, "")}/.well-known/jwks.json`;
    this.#site = site;
  }

  /** Whether the Cookie header of a request lets an event for these purposes go to this vendor. */
  async allows(cookies, vendor, purposes) {
    try {
      const { grants, vendors = {} } = await this.#claims(readToken(cookies ?? ""));
      // A vendor that the visitor answered for itself goes by that answer, any other by its purposes.
      return isGranted(vendors, vendor) ?? purposes.some((purpose) => isGranted(grants, purpose));
    } catch {
      return false;
    }
  }

  async #claims(token) {
    const [header, payload, signature] = token.split(".");
    const { alg, typ, kid, ...others } = JSON.parse(decode(header));
    // The algorithm is named here and never taken from the token: the token must not choose how it is checked.
    if (alg !== "EdDSA" || typ !== "consent-state+jwt" || Object.keys(others).length) throw Error("no state token");
    const { key, retiredAt } = await this.#key(kid);
    if (!verify(null, Buffer.from(`${header}.${payload}`), key, decode(signature))) throw Error("forged");
    const claims = JSON.parse(decode(payload));
    const now = Date.now() / 1000;
    if (claims.site !== this.#site || !Number.isInteger(claims.iat) || !Number.isInteger(claims.exp)) {
      throw Error("another site's, or not dated");
    }
    const latest = Math.min(now, retiredAt) + CLOCK_SKEW;
    if (claims.iat > latest || claims.exp <= now || claims.exp - claims.iat > LONGEST_CHOICE) {
      throw Error("not in force");
    }
    return claims;
  }

  async #key(kid) {
    const now = performance.now();
    if (now - this.#fetchedAt > KEEP) this.#keys = new Map();
    if (!this.#keys.has(kid) && now - this.#askedAt > ASK_AGAIN) {
      this.#askedAt = now;
      this.#asking = this.#fetchKeys();
    }
    // Who comes while keys are fetched waits for them.
    if (!this.#keys.has(kid)) await this.#asking;
    const key = this.#keys.get(kid);
    if (!key) throw Error("unknown key");
    return key;
  }

  async #fetchKeys() {
    const answer = await fetch(this.#address, { signal: AbortSignal.timeout(5000) });
    if (!answer.ok) throw Error("no keys");
    // `exp`: since when a key signs no more. Of a revoked key nothing holds.
    const good = (await answer.json()).keys.filter(
      ({ kty, crv, alg, exp = 0, revoked }) =>
        kty === "OKP" && crv === "Ed25519" && alg === "EdDSA" && Number.isInteger(exp) && revoked === undefined,
    );
    const read = (key) => ({ key: createPublicKey({ key, format: "jwk" }), retiredAt: key.exp ?? Infinity });
    this.#keys = new Map(good.map((key) => [key.kid, read(key)]));
    this.#fetchedAt = performance.now();
  }
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
  // The last character may hold bits that decoders pass over: one token has one spelling.
  const data = Buffer.from(part, "base64url");
  if (data.toString("base64url") !== part) throw Error("not canonical base64url");
  return data;
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const [server, site, vendor, ...purposes] = process.argv.slice(2);
  const check = new StateCheck(server, site);
  for await (const line of createInterface({ input: process.stdin })) {
    console.log(await check.allows(line.trim(), vendor, purposes));
  }
}
