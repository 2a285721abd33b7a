// Reads a zip from a file of this device: stored and deflated entries, by its directory. What other programs could read
// as another zip, or as something else, is refused: entries from the first byte on, one after the other, then the
// directory and its end, and nothing before, between or behind them.

import { Wrong } from "./proof.js";

const END = 0x06054b50;
const ENTRY = 0x02014b50;
const LOCAL = 0x04034b50;
const STORED = 0;
const DEFLATED = 8;
const END_SIZE = 22;
/** What may stand behind an entry whose sizes were not known before it (bit 3): CRC and sizes, with or without a mark. */
const DESCRIPTORS = [12, 16, 20, 24];
/** Above this a browser's memory is no place for a pack. */
export const LARGEST = 512 * 1024 * 1024;

export class TooLarge extends Error {}

const view = async (blob, from, to) => new DataView(await blob.slice(from, to).arrayBuffer());

/** Name to how to read it; nothing is unpacked yet. */
export async function openZip(blob) {
  const [directory, directoryAt] = await findDirectory(blob);
  const entries = new Map();
  let at = 0;
  while (at < directory.byteLength) {
    if (directory.byteLength - at < 46 || directory.getUint32(at, true) !== ENTRY) throw new Wrong("directory");
    const entry = readEntry(directory, at);
    if (entries.has(entry.name)) throw new Wrong("a name is there twice");
    entries.set(entry.name, entry);
    at = entry.next;
  }
  const zip = new Zip(blob, entries);
  await requireRow(zip, directoryAt);
  return zip;
}

async function requireRow(zip, directoryAt) {
  let [at, behind] = [0, [0]];
  for (const entry of [...zip.entries.values()].sort((one, other) => one.offset - other.offset)) {
    if (!behind.includes(entry.offset - at)) throw new Wrong("not one entry after the other");
    at = (await zip.start(entry)) + entry.packed;
    behind = entry.described ? DESCRIPTORS : [0];
  }
  if (!behind.includes(directoryAt - at)) throw new Wrong("not one entry after the other");
}

async function findDirectory(blob) {
  // At the very end: a comment could hide another zip's.
  const endAt = blob.size - END_SIZE;
  const end = endAt < 0 ? null : await view(blob, endAt, blob.size);
  if (!end || end.getUint32(0, true) !== END || end.getUint16(20, true) !== 0) throw new Wrong("no zip");
  const [size, offset] = [end.getUint32(12, true), end.getUint32(16, true)];
  if (offset === 0xffffffff) throw new TooLarge();
  if (offset + size !== endAt) throw new Wrong("directory");
  return [await view(blob, offset, endAt), offset];
}

function readEntry(directory, at) {
  const [named, extra, comment] = [28, 30, 32].map((field) => directory.getUint16(at + field, true));
  const next = at + 46 + named + extra + comment;
  if (next > directory.byteLength) throw new Wrong("directory");
  const name = new TextDecoder().decode(new Uint8Array(directory.buffer, at + 46, named));
  const [packed, size, offset] = [20, 24, 42].map((field) => directory.getUint32(at + field, true));
  if (Math.max(packed, size) > LARGEST || offset === 0xffffffff) throw new TooLarge();
  const described = (directory.getUint16(at + 8, true) & 8) !== 0;
  return { name, method: directory.getUint16(at + 10, true), packed, size, offset, described, next };
}

class Zip {
  constructor(blob, entries) {
    this.blob = blob;
    this.entries = entries;
  }

  get names() {
    return [...this.entries.keys()];
  }

  /** Where the bytes of an entry begin. Its name stands before them once more, and is the same. */
  async start({ name, offset }) {
    const local = await view(this.blob, offset, offset + 30);
    if (local.byteLength < 30 || local.getUint32(0, true) !== LOCAL) throw new Wrong(name);
    const [named, extra] = [26, 28].map((field) => local.getUint16(field, true));
    const told = await view(this.blob, offset + 30, offset + 30 + named);
    if (new TextDecoder().decode(told) !== name) throw new Wrong(name);
    return offset + 30 + named + extra;
  }

  /** The bytes of a file. */
  async read(name) {
    const entry = this.entries.get(name);
    if (!entry) throw new Wrong(name);
    const start = await this.start(entry);
    const packed = this.blob.slice(start, start + entry.packed);
    const bytes = entry.method === STORED ? new Uint8Array(await packed.arrayBuffer()) : await inflate(packed, entry);
    if (bytes.length !== entry.size) throw new Wrong(name);
    return bytes;
  }
}

/** Stops at the size that the directory promised: a small file must not fill the memory. */
async function inflate(packed, { method, size, name }) {
  if (method !== DEFLATED) throw new Wrong(name);
  const bytes = new Uint8Array(size);
  let at = 0;
  try {
    const reader = packed.stream().pipeThrough(new DecompressionStream("deflate-raw")).getReader();
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
      bytes.set(piece.value, at);
      at += piece.value.length;
    }
  } catch {
    throw new Wrong(name);
  }
  return bytes.subarray(0, at);
}
