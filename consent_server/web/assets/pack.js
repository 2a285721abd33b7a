// Checks of an evidence pack (docs/formats/evidence.md). The pack's own verify.py does these and more.

import {
  decodeText, hex, leafOf, openCheckpoint, parseJson, parseJws, readKeys, same, sha256, unhex, Unsupported,
  verifyJws, verifyPath, Wrong,
} from "./proof.js";

const SIGNED = ["manifest.json", "manifest.jws"];
const RECEIPT = "consent-receipt+jwt";
const REMOVAL = "consent-removal+jwt";
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

/** All checks of a pack, one after another; `progress` is told how many records are done, of how many. */
export async function checkPack(zip, steps, progress) {
  const pack = { zip, manifest: await json(zip, "manifest.json"), checkpoints: [], named: new Set() };
  await steps.run("files", () => checkFiles(pack));
  if (!(await steps.run("keys", () => checkKeys(pack)))) return pack;
  await steps.run("manifest", () => checkManifest(pack));
  if (!(await steps.run("checkpoints", () => checkCheckpoints(pack)))) return pack;
  await checkRecords(pack, steps, progress);
  await steps.run("notices", () => checkArchive(pack));
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
  for (const [id, { claimed }] of pack.keys) want(id === claimed, `keys.json ${claimed}`);
  return `${pack.keys.size}`;
}

async function checkManifest({ zip, manifest, keys }) {
  return at("manifest.jws", async () => {
    const jws = parseJws(decodeText(await zip.read("manifest.jws")).trim(), "consent-manifest+jwt");
    await verifyJws(jws, keys);
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
      const { size, note } = parseJson(line);
      pack.tree = await openCheckpoint(note, manifest.ledger, keys);
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
  pack.removed = 0;
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
    if (entry.receipt === null) return want(Number.isSafeInteger(entry.removed_by) && ++pack.removed);
    want(same(await leafOf(entry.receipt, entry.salt), unhex(entry.leaf)));
  });
  if (entry.receipt) await note("signatures", () => checkSignature(pack, entry.receipt));
  await note("inclusion", () => verifyPath(unhex(entry.leaf), entry.leaf_index, pack.tree, entry.hashes));
}

async function checkSignature(pack, receipt) {
  const jws = parseJws(receipt, RECEIPT, REMOVAL);
  await verifyJws(jws, pack.keys);
  if (jws.type !== RECEIPT) return;
  want(jws.claims.ledger === pack.manifest.ledger);
  pack.named.add(`notices/${jws.claims.notice}.json`).add(`widget/${jws.claims.widget}.js`);
}

async function checkArchive({ zip, named }) {
  const archived = zip.names.filter((name) => /^(notices\/.*\.json|widget\/.*\.js)$/.test(name));
  for (const name of new Set([...archived, ...named])) {
    const data = await at(name, () => zip.read(name));
    want(hex(await sha256(data)) === name.replace(/^.*\/|\.\w+$/g, ""), name);
  }
  return `${archived.length}`;
}
