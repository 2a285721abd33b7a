// Reads a zip from a file of this device: stored and deflated entries, by its directory.

import { Wrong } from "./proof.js";

const END = 0x06054b50;
const ENTRY = 0x02014b50;
const LOCAL = 0x04034b50;
const STORED = 0;
const DEFLATED = 8;
const LONGEST_END = 22 + 65535;
/** Above this a browser's memory is no place for a pack. */
export const LARGEST = 512 * 1024 * 1024;

export class TooLarge extends Error {}

const view = async (blob, from, to) => new DataView(await blob.slice(from, to).arrayBuffer());

/** Name to how to read it; nothing is unpacked yet. */
export async function openZip(blob) {
  const directory = await findDirectory(blob);
  const entries = new Map();
  let at = 0;
  while (at < directory.byteLength) {
    if (directory.byteLength - at < 46 || directory.getUint32(at, true) !== ENTRY) throw new Wrong("directory");
    const entry = readEntry(directory, at);
    if (entries.has(entry.name)) throw new Wrong("a name is there twice");
    entries.set(entry.name, entry);
    at = entry.next;
  }
  return new Zip(blob, entries);
}

async function findDirectory(blob) {
  const start = Math.max(0, blob.size - LONGEST_END);
  const tail = await view(blob, start, blob.size);
  for (let at = tail.byteLength - 22; at >= 0; at -= 1) {
    if (tail.getUint32(at, true) !== END) continue;
    const [size, offset] = [tail.getUint32(at + 12, true), tail.getUint32(at + 16, true)];
    if (offset === 0xffffffff) throw new TooLarge();
    if (offset + size > start + at) throw new Wrong("directory");
    return view(blob, offset, offset + size);
  }
  throw new Wrong("no zip");
}

function readEntry(directory, at) {
  const [named, extra, comment] = [28, 30, 32].map((field) => directory.getUint16(at + field, true));
  const next = at + 46 + named + extra + comment;
  if (next > directory.byteLength) throw new Wrong("directory");
  const name = new TextDecoder().decode(new Uint8Array(directory.buffer, at + 46, named));
  const [packed, size, offset] = [20, 24, 42].map((field) => directory.getUint32(at + field, true));
  if (Math.max(packed, size) > LARGEST || offset === 0xffffffff) throw new TooLarge();
  return { name, method: directory.getUint16(at + 10, true), packed, size, offset, next };
}

class Zip {
  constructor(blob, entries) {
    this.blob = blob;
    this.entries = entries;
  }

  get names() {
    return [...this.entries.keys()];
  }

  /** The bytes of a file. */
  async read(name) {
    const entry = this.entries.get(name);
    if (!entry) throw new Wrong(name);
    const local = await view(this.blob, entry.offset, entry.offset + 30);
    if (local.byteLength < 30 || local.getUint32(0, true) !== LOCAL) throw new Wrong(name);
    const start = entry.offset + 30 + local.getUint16(26, true) + local.getUint16(28, true);
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
