// What a pack says is removed against what its signed removals name (docs/formats/evidence.md, section 4), in ranges:
// a removal of a million records is one line.

/** A removal's ranges, or null: closed, ascending, apart, as many leaves as it counts, by a rule and for a reason. */
export function rangesOf({ leaves, count, rule, reason }) {
  if (!["erasure", "retention"].includes(rule) || typeof reason !== "string") return null;
  if (!Array.isArray(leaves) || leaves.length === 0) return null;
  let before = -2;
  let sum = 0;
  for (const pair of leaves) {
    if (!Array.isArray(pair) || pair.length !== 2 || !pair.every((one) => Number.isSafeInteger(one) && one >= 0)) return null;
    const [low, high] = pair;
    if (low > high || low <= before) return null;
    sum += high - low + 1;
    before = high;
  }
  return count === sum ? leaves : null;
}

export class Removals {
  constructor(first, end) {
    this.first = first;
    this.end = end;
    // Leaf of a removal to ranges: of what is gone here, and of what signed removals name.
    this.gone = new Map();
    this.named = new Map();
    this.count = 0;
  }

  /** A record that is gone, and the leaf that is said to say why. In the order of leaves. */
  takeGone(index, by) {
    this.count += 1;
    const ranges = this.gone.get(by) || [];
    const last = ranges[ranges.length - 1];
    if (last && last[1] === index - 1) last[1] = index;
    else ranges.push([index, index]);
    this.gone.set(by, ranges);
  }

  /** A removal that a key of the ledger signed. */
  takeNamed(index, ranges) {
    this.named.set(index, ranges);
  }

  /** The first leaf for which the two differ; null where nothing is gone without a removal, or named and still here. */
  differs() {
    for (const index of new Set([...this.gone.keys(), ...this.named.keys()])) {
      const gone = this.gone.get(index) || [];
      const named = this.named.get(index);
      if (!named) return gone[0][0];
      if (named[named.length - 1][1] >= index) return index;
      const here = named.map(([low, high]) => [Math.max(low, this.first), Math.min(high, this.end - 1)]).filter(([low, high]) => low <= high);
      const wrong = beyond(gone, here) ?? beyond(here, gone);
      if (wrong !== null) return wrong;
    }
    return null;
  }
}

/** The first number that closed ascending ranges hold beyond others, else null. */
function beyond(these, those) {
  let at = 0;
  for (const [start, high] of these) {
    for (let low = start; low <= high; low = those[at][1] + 1) {
      while (at < those.length && those[at][1] < low) at += 1;
      if (at === those.length || those[at][0] > low) return low;
    }
  }
  return null;
}
