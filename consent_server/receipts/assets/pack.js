// Checks of an evidence pack (docs/formats/evidence.md). The pack's own verify.py does these and more.

import {
  decodeText, hex, isOfSite, leafOf, openCheckpoint, parseJson, parseJws, readKeys, same, sha256, unhex, Unsupported,
  verifyJws, verifyPath, Wrong,
} from "./proof.js";
import { rangesOf, Removals } from "./removals.js";

const SIGNED = ["manifest.json", "manifest.jws"];
const RECEIPT = "consent-receipt+jwt";
const REMOVAL = "consent-removal+jwt";
const REMARK = "consent-remark+jwt";
const PER_RECORD = ["signatures", "leaves", "inclusion"];

function want(condition, place) {
  if (condition) return;
  const error = new Wrong(place);
  error.place = place;
  throw error;
}

/** Whatever fails in here failed at this place. */
async function at(place, work) {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Unsupported)) error.place = error.place || place;
    throw error;
  }
}

const json = async (zip, name) => at(name, async () => parseJson(decodeText(await zip.read(name))));

async function lines(zip, name) {
  const text = await at(name, async () => decodeText(await zip.read(name)));
  return text.split("\n").filter((line) => line);
}

/** All checks of a pack, one after another; `ours` are the keys of this server, null where it did not answer.
 * `progress` is told how many records are done, of how many. */
export async function checkPack(zip, steps, ours, progress) {
  const pack = { zip, ours, manifest: await json(zip, "manifest.json"), named: new Set(), signers: new Set() };
  await steps.run("files", () => checkFiles(pack));
  if (!(await steps.run("keys", () => checkKeys(pack)))) return pack;
  await steps.run("manifest", () => checkManifest(pack));
  if (!(await steps.run("checkpoints", () => checkCheckpoints(pack)))) return pack;
  await checkRecords(pack, steps, progress);
  await steps.run("notices", () => checkArchive(pack));
  if (ours) await steps.run("key", () => checkSigners(pack, ours));
  return pack;
}

async function checkFiles({ zip, manifest }) {
  const files = Object.entries(manifest.files);
  const named = new Set(Object.keys(manifest.files));
  want(named.size > 0, "manifest.json");
  for (const [name, { sha256: expected, bytes }] of files) {
    const data = await at(name, () => zip.read(name));
    want(data.length === bytes && hex(await sha256(data)) === expected, name);
  }
  for (const name of zip.names) want(SIGNED.includes(name) || named.has(name), name);
  return `${files.length}`;
}

async function checkKeys(pack) {
  pack.keys = await at("keys.json", async () => readKeys(await json(pack.zip, "keys.json")));
  for (const [id, known] of pack.keys) {
    want(id === known.claimed, `keys.json ${known.claimed}`);
    // What became of a key since the pack was made, this server knows.
    const now = pack.ours?.get(id);
    if (now) Object.assign(known, { end: Math.min(known.end, now.end), revoked: known.revoked || now.revoked });
  }
  return `${pack.keys.size}`;
}

async function checkManifest(pack) {
  const { zip, manifest, keys } = pack;
  return at("manifest.jws", async () => {
    const jws = parseJws(decodeText(await zip.read("manifest.jws")).trim(), "consent-manifest+jwt");
    await verifyJws(jws, keys);
    pack.signers.add(jws.kid);
    // All of a pack rests on this signature: also what revoked keys signed before others had them.
    want(!keys.get(jws.kid).revoked);
    want(jws.claims.manifest === hex(await sha256(await zip.read("manifest.json"))), "manifest.json");
    for (const name of ["iss", "site", "ledger"]) want(jws.claims[name] === manifest[name], `manifest.json ${name}`);
    return jws.kid;
  });
}

async function checkCheckpoints(pack) {
  const { zip, manifest, keys } = pack;
  let before = -1;
  for (const [number, line] of (await lines(zip, "checkpoints.jsonl")).entries())
    await at(`checkpoints.jsonl ${number + 1}`, async () => {
      const { size, note, sealed_at: sealedAt } = parseJson(line);
      pack.tree = await openCheckpoint(note, manifest.ledger, keys, Math.floor(Date.parse(sealedAt) / 1000));
      for (const kid of pack.tree.signers) pack.signers.add(kid);
      want(pack.tree.size === size && size > before);
      before = size;
    });
  want(pack.tree && before === manifest.tree_size, "checkpoints.jsonl");
  return `${manifest.ledger} · ${before}`;
}

async function checkRecords(pack, steps, progress) {
  const { zip, manifest } = pack;
  const failed = {};
  const records = await at("records.jsonl", () => lines(zip, "records.jsonl")).catch(() => []);
  const later = zip.entries.has("removals.jsonl") ? await lines(zip, "removals.jsonl") : [];
  if (records.length !== manifest.end - manifest.first) failed.leaves = "records.jsonl";
  pack.removals = new Removals(manifest.first, manifest.end);
  for (const [number, line] of [...records, ...later].entries()) {
    const inside = number < records.length;
    const place = inside ? `records.jsonl ${number + 1}` : `removals.jsonl ${number - records.length + 1}`;
    await checkRecord(pack, line, inside ? manifest.first + number : null, place, failed);
    if (number % 100 === 0) await progress(number, records.length + later.length);
  }
  for (const name of PER_RECORD)
    await steps.run(name, () => {
      want(!failed[name], failed[name]);
      return `${records.length + later.length}`;
    });
  await steps.run("removals", () => checkRemovals(pack, failed));
}

function checkRemovals({ removals, manifest }, failed) {
  want(!failed.removals, failed.removals);
  const leaf = removals.differs();
  want(leaf === null, leaf < manifest.end ? `records.jsonl ${leaf - manifest.first + 1}` : "removals.jsonl");
  return `${removals.count}`;
}

async function checkRecord(pack, line, index, place, failed) {
  const note = async (name, work) => {
    try {
      await work();
    } catch (error) {
      if (error instanceof Unsupported) throw error;
      failed[name] = failed[name] || place;
    }
  };
  let entry = {};
  await note("leaves", async () => {
    entry = parseJson(line);
    want(index === null || entry.leaf_index === index);
    if (entry.receipt === null) return;
    want(same(await leafOf(entry.receipt, entry.salt), unhex(entry.leaf)));
  });
  if (entry.receipt) await note("signatures", () => checkSignature(pack, entry));
  await note("removals", () => checkRemoved(pack, entry, index === null));
  await note("inclusion", () => verifyPath(unhex(entry.leaf), entry.leaf_index, pack.tree, entry.hashes));
}

async function checkSignature(pack, { receipt, leaf_index: index }) {
  const { manifest, removals, named } = pack;
  const jws = parseJws(receipt, RECEIPT, REMOVAL, REMARK);
  const { kid, type, claims } = jws;
  await verifyJws(jws, pack.keys);
  pack.signers.add(kid);
  want(isOfSite(claims.ledger, manifest.ledger) && claims.site === manifest.site);
  if (type === RECEIPT) named.add(`notices/${claims.notice}.json`).add(`widget/${claims.widget}.js`);
  else if (type === REMOVAL) {
    const ranges = rangesOf(claims);
    want(ranges);
    removals.takeNamed(index, ranges);
  }
}

/** A record is gone behind a younger entry, or here and said to be here; what was left out of the period is a removal. */
function checkRemoved({ manifest, removals }, { leaf_index: index, receipt, salt, removed_by: by }, isLater) {
  if (isLater) return want(index >= manifest.end && removals.named.has(index));
  if (receipt !== null) return want(by === null);
  want(salt === null && Number.isSafeInteger(by) && by > index);
  removals.takeGone(index, by);
}

/** Who makes a false pack can put a key of ours beside his own: what counts is whose key signed. */
function checkSigners({ signers }, ours) {
  const foreign = [...signers].filter((kid) => !ours.has(kid));
  want(foreign.length === 0, foreign.join(" "));
  return [...signers].join(" ");
}

async function checkArchive({ zip, named }) {
  const archived = zip.names.filter((name) => /^(notices\/.*\.json|widget\/.*\.js)$/.test(name));
  for (const name of new Set([...archived, ...named])) {
    const data = await at(name, () => zip.read(name));
    want(hex(await sha256(data)) === name.replace(/^.*\/|\.\w+$/g, ""), name);
  }
  return `${archived.length}`;
}
