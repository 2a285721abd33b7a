// The checks of docs/formats/receipt.md and checkpoint.md, with what the browser brings and nothing else.

const utf8 = new TextEncoder();
const strictText = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Seconds by which a key's end may be missed: clocks differ. */
const LEEWAY = 60;

/** Something does not prove what it claims. */
export class Wrong extends Error {}
/** This browser, or a page without TLS, has no Ed25519. */
export class Unsupported extends Error {}

function want(condition, reason) {
  if (!condition) throw new Wrong(reason);
}

export const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

export function unhex(text, length = 32) {
  want(typeof text === "string" && text.length === 2 * length && /^[0-9a-f]*$/.test(text), "not hex of this length");
  return Uint8Array.from(text.match(/../g) || [], (pair) => parseInt(pair, 16));
}

export function base64(bytes) {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

/** One spelling only: what does not encode back to itself is refused. */
export function unbase64(text) {
  let bytes = null;
  try {
    bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  } catch {
    // Told below.
  }
  want(bytes && base64(bytes) === text, "not canonical base64");
  return bytes;
}

const base64url = (bytes) => base64(bytes).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

function unbase64url(text) {
  want(/^[\w-]*$/.test(text), "not base64url");
  return unbase64(text.replace(/-/g, "+").replace(/_/g, "/") + "=".repeat(-text.length & 3));
}

export function decodeText(bytes) {
  try {
    return strictText.decode(bytes);
  } catch {
    throw new Wrong("not UTF-8");
  }
}

/** JSON with unique keys: of a repeated one two readers could take different values. */
export function parseJson(text) {
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Wrong("not JSON");
  }
  refuseRepeats(text);
  return value;
}

function refuseRepeats(text) {
  const open = [];
  const tokens = /"(?:[^"\\]|\\.)*"|[{}[\]]/g;
  for (let token = tokens.exec(text); token; token = tokens.exec(text)) {
    const [found] = token;
    if (found === "{") open.push(new Set());
    else if (found === "[") open.push(null);
    else if (found === "}" || found === "]") open.pop();
    else if (/^\s*:/.test(text.slice(tokens.lastIndex, tokens.lastIndex + 64))) {
      const keys = open[open.length - 1];
      const key = JSON.parse(found);
      want(keys && !keys.has(key), "a key is repeated");
      keys.add(key);
    }
  }
}

export async function sha256(...parts) {
  const joined = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return new Uint8Array(await subtle().digest("SHA-256", joined));
}

function subtle() {
  if (!globalThis.crypto || !crypto.subtle) throw new Unsupported();
  return crypto.subtle;
}

export const same = (one, other) => one.length === other.length && one.every((byte, at) => byte === other[at]);

/** RFC 7638. */
export const thumbprint = async ({ crv, kty, x }) => base64url(await sha256(utf8.encode(JSON.stringify({ crv, kty, x }))));

/** The keys of a JWK Set by their thumbprints; `claimed` is the id that each came with, `end` since when it signs no
 * more (Unix seconds), and what a `revoked` one signed others may have signed. */
export async function readKeys(jwks) {
  want(jwks && Array.isArray(jwks.keys) && jwks.keys.length > 0, "no JWK Set");
  const keys = new Map();
  for (const jwk of jwks.keys) {
    want(jwk && jwk.kty === "OKP" && jwk.crv === "Ed25519" && typeof jwk.x === "string", "not an Ed25519 key");
    const raw = unbase64url(jwk.x);
    want(raw.length === 32, "not an Ed25519 key");
    const { kid: claimed, exp: end = Infinity, revoked } = jwk;
    want(end === Infinity || Number.isSafeInteger(end), "not an end");
    keys.set(await thumbprint(jwk), { raw, key: await importKey(raw), claimed, end, revoked: revoked !== undefined });
  }
  return keys;
}

async function importKey(raw) {
  try {
    return await subtle().importKey("raw", raw, { name: "Ed25519" }, false, ["verify"]);
  } catch (error) {
    if (error.name === "NotSupportedError" || error instanceof Unsupported) throw new Unsupported();
    throw new Wrong("not an Ed25519 key");
  }
}

const signed = async (key, signature, message) => subtle().verify({ name: "Ed25519" }, key, signature, message);

/** A compact JWS of one of these types taken apart; nothing of it is proved yet. */
export function parseJws(token, ...types) {
  const parts = token.split(".");
  want(parts.length === 3 && parts.every((part) => part), "not a compact JWS");
  const [head, body, signature] = parts.map(unbase64url);
  const header = parseJson(decodeText(head));
  want(Object.keys(header).sort().join() === "alg,kid,typ", "not the header of a receipt");
  // Named here and never taken from the token: a token must not choose how it is checked.
  want(header.alg === "EdDSA" && types.includes(header.typ), "another algorithm or type");
  const claims = parseJson(decodeText(body));
  want(claims && typeof claims === "object" && !Array.isArray(claims), "not an object");
  return { kid: header.kid, type: header.typ, claims, signature, message: utf8.encode(`${parts[0]}.${parts[1]}`) };
}

export function keyOf(jws, keys) {
  const found = keys.get(jws.kid);
  want(found, "unknown key");
  return found;
}

const inUse = ({ end }, at) => end === Infinity || (Number.isSafeInteger(at) && at <= end + LEEWAY);

export async function verifyJws(jws, keys) {
  const known = keyOf(jws, keys);
  want(jws.signature.length === 64 && (await signed(known.key, jws.signature, jws.message)), "signature");
  want(inUse(known, jws.claims.iat), "signed after the key was retired");
}

/** Whether two names are of ledgers of one site: after a restore a ledger goes on under a numbered name. */
export function isOfSite(name, origin) {
  const site = (one) => String(one).replace(/(\/ledger\/[^/]+)\/[1-9]\d*$/, "$1");
  return site(name) === site(origin);
}

/** A checkpoint that a key named for its origin signed (docs/formats/checkpoint.md, sections 1 and 2); which keys did.
 * Where it is known when it was sealed (Unix seconds), by a key that was in use then. */
export async function openCheckpoint(note, origin, all, sealedAt = null) {
  const keys = [...all].filter(([, known]) => sealedAt === null || inUse(known, sealedAt));
  want(typeof note === "string", "no note");
  const cut = note.lastIndexOf("\n\n");
  want(cut > 0 && note.endsWith("\n"), "no signed note");
  const text = note.slice(0, cut + 1);
  const signers = await requireSignature(text, note.slice(cut + 2, -1).split("\n"), text.split("\n")[0], keys);
  const [name, size, root, ...rest] = text.split("\n");
  want(isOfSite(name, origin) && /^(0|[1-9]\d{0,15})$/.test(size) && rest[rest.length - 1] === "", "another ledger");
  const tree = { size: Number(size), root: unbase64(root), signers };
  want(tree.root.length === 32, "root");
  return tree;
}

async function requireSignature(text, lines, origin, keys) {
  const signers = [];
  for (const line of lines) {
    const [dash, name, encoded, ...rest] = line.split(" ");
    want(dash === "\u2014" && encoded && rest.length === 0, "signature line");
    const value = unbase64(encoded);
    for (const [kid, { raw, key }] of name === origin ? keys : []) {
      const id = (await sha256(utf8.encode(`${origin}\n`), Uint8Array.of(1), raw)).slice(0, 4);
      if (!same(id, value.slice(0, 4))) continue;
      want(value.length === 68 && (await signed(key, value.slice(4), utf8.encode(text))), "signature");
      signers.push(kid);
    }
  }
  want(signers.length > 0, "the ledger did not sign");
  return signers;
}

export async function leafOf(receipt, salt) {
  return sha256(Uint8Array.of(0), await sha256(unhex(salt), utf8.encode(receipt)));
}

/** RFC 9162 section 2.1.3.2. */
export async function verifyPath(leaf, index, tree, hashes) {
  want(Number.isSafeInteger(index) && index >= 0 && index < tree.size && Array.isArray(hashes), "outside the tree");
  let [fn, sn, root] = [BigInt(index), BigInt(tree.size - 1), leaf];
  for (const text of hashes) {
    want(sn > 0n, "the path is too long");
    const beside = unhex(text);
    if (fn & 1n || fn === sn) {
      root = await sha256(Uint8Array.of(1), beside, root);
      while (!(fn & 1n) && fn > 0n) [fn, sn] = [fn >> 1n, sn >> 1n];
    } else root = await sha256(Uint8Array.of(1), root, beside);
    [fn, sn] = [fn >> 1n, sn >> 1n];
  }
  want(sn === 0n && same(root, tree.root), "the path does not lead to the root");
}

const RECEIPT = "consent-receipt+jwt";

/** Refuses what has not the form of a receipt, whoever signed it. */
export function requireForm(receipt) {
  want(parseJws(receipt, RECEIPT).signature.length === 64, "cut off");
}

/** The steps of a receipt, in order: a name and what there is to do, which answers what to show beside it. */
export function receiptSteps(receipt, keys) {
  const found = {};
  const jws = () => (found.jws = found.jws || parseJws(receipt, RECEIPT));
  return {
    found,
    /** Whether others may have signed it: then it holds by its proof alone. */
    isRevoked: () => {
      try {
        return keyOf(jws(), keys).revoked;
      } catch {
        return false;
      }
    },
    key: async () => (keyOf(jws(), keys), jws().kid),
    signature: async () => {
      await verifyJws(jws(), keys);
      found.claims = jws().claims;
    },
  };
}

/** The steps of its proof. `claims` are those that the signature holds for. Whoever has a revoked key can sign
 * checkpoints as well: theirs hold nothing. */
export function proofSteps(receipt, claims, proof, all) {
  const keys = new Map([...all].filter(([, { revoked }]) => !revoked));
  const found = {};
  return {
    found,
    checkpoint: async () => {
      found.tree = await openCheckpoint(proof.checkpoint, claims.ledger, keys);
      return `${claims.ledger} · ${found.tree.size}`;
    },
    leaf: async () => {
      found.leaf = await leafOf(receipt, proof.salt);
      return hex(found.leaf);
    },
    path: async () => {
      want(found.tree && found.leaf, "nothing to lead to");
      await verifyPath(found.leaf, proof.leaf_index, found.tree, proof.hashes);
      return `${proof.leaf_index} → ${hex(found.tree.root)}`;
    },
  };
}
