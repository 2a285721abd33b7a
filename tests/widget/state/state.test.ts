import assert from "node:assert/strict";
import { test } from "node:test";
import { actionOf, allows, complete, grantsAny, takes, underSignal } from "../../../static/widget/src/state/state";
import { notice } from "../cast";

const answer = (grants: Record<string, unknown>, vendors: Record<string, unknown> = {}) =>
  complete(notice, (key) => grants[key], (key) => vendors[key]);

test("a purpose that is not mentioned is denied", () => {
  assert.deepEqual(answer({ analytics: true }).grants, { analytics: true, advertising: false });
});

test("only true is a grant", () => {
  for (const almost of ["true", 1, "1", {}, [true], null])
    assert.equal(answer({ analytics: almost }).grants.analytics, false);
});

test("keys that the notice does not know are left out", () => {
  assert.deepEqual(answer({ nope: true }, { nobody: true }), answer({}));
});

test("only vendors that differ from their purposes are kept", () => {
  const given = answer({ analytics: true }, { "google-analytics": true, "google-ads": true, "meta-pixel": false });
  assert.deepEqual(given.vendors, { "google-ads": true });
});

test("a vendor's own answer goes before its purposes", () => {
  const given = answer({ analytics: true }, { "google-analytics": false, "google-ads": true });
  assert.equal(allows(notice, given, "google-analytics"), false);
  assert.equal(allows(notice, given, "google-ads"), true);
});

test("a vendor without an answer of its own is granted by any of its purposes", () => {
  assert.equal(allows(notice, answer({ analytics: true }), "google-tag-manager"), true);
  assert.equal(allows(notice, answer({}), "google-tag-manager"), false);
});

test("before a decision all is denied, and unknown keys are unknown", () => {
  assert.equal(allows(notice, null, "analytics"), false);
  assert.equal(allows(notice, null, "google-ads"), false);
  assert.equal(allows(notice, answer({}), "constructor"), undefined);
});

test("an answer tells which act it stands for", () => {
  assert.equal(actionOf(answer({ analytics: true, advertising: true })), "accept_all");
  assert.equal(actionOf(answer({ analytics: true, advertising: true }, { "meta-pixel": false })), "save");
  assert.equal(actionOf(answer({ analytics: true })), "save");
  assert.equal(actionOf(answer({})), "refuse_all");
  assert.equal(grantsAny(answer({}, { "meta-pixel": true })), true);
});

test("Global Privacy Control takes advertising and the vendors that only it grants", () => {
  const remaining = underSignal(notice, answer({ analytics: true, advertising: true }, { "google-analytics": false }));
  assert.deepEqual(remaining, { grants: { analytics: true, advertising: false }, vendors: { "google-analytics": false } });
  assert.deepEqual(underSignal(notice, answer({}, { "meta-pixel": true })), answer({}));
});

test("Global Privacy Control leaves a vendor that also serves another purpose", () => {
  const own = answer({}, { "google-tag-manager": true });
  assert.deepEqual(underSignal(notice, own), own);
});

test("something is taken when a key loses its grant, not when one is gained", () => {
  assert.equal(takes(notice, answer({ analytics: true }), answer({ advertising: true })), true);
  assert.equal(takes(notice, answer({ analytics: true }), answer({ analytics: true, advertising: true })), false);
  assert.equal(takes(notice, answer({ advertising: true }), answer({ advertising: true }, { "meta-pixel": false })), true);
  assert.equal(takes(notice, null, answer({})), false);
});
