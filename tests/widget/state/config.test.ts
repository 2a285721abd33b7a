import assert from "node:assert/strict";
import { test } from "node:test";
import { readConfig } from "../../../static/widget/src/state/config";
import { notice } from "../cast";

const config = { ...notice, days: 180, texts: { accept: "Accept all", refuse: "Reject all" } };

test("a sound notice is taken as it is", () => {
  assert.equal(readConfig(config), config);
});

test("a damaged notice is refused whole", () => {
  const damaged: unknown[] = [
    null, undefined, "", 7, [], {},
    { ...config, days: 0 }, { ...config, days: "x" }, { ...config, texts: null }, { ...config, texts: { accept: "x" } },
    { ...config, purposes: null }, { ...config, purposes: [null] }, { ...config, purposes: [{}, { key: "a b" }] },
    { ...config, vendors: [{ key: "x&y" }] }, { ...config, vendors: [{ key: "x", ids: ["G-1&l=x"] }] },
    { ...config, vendors: [{ key: "x", ids: ["G-1", "G-2\n"] }] }, { ...config, vendors: [{ key: "" }] },
  ];
  for (const given of damaged) assert.equal(readConfig(given), null, JSON.stringify(given));
});
