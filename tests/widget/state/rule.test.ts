import { strictEqual as equal, deepEqual } from "node:assert";
import test, { beforeEach } from "node:test";
import { decode, encode, stillCounts } from "../../../static/widget/src/state/cookie";
import type { Purpose, Vendor } from "../../../static/widget/src/state/config";
import { objections, told, useEdition, useRule, wasTold } from "../../../static/widget/src/state/rule";
import { allows, complete, grantsAny, takes, type Choice } from "../../../static/widget/src/state/state";

(globalThis as { RULES?: boolean }).RULES = true;

const vendors: Vendor[] = [
  { key: "matomo", adapter: "matomo", purposes: ["statistics"] },
  { key: "pixel", adapter: "meta", purposes: ["ads"] },
];
let notice: { purposes: Purpose[]; vendors: Vendor[] };

/** Statistics run until somebody objects; advertising is asked for. */
beforeEach(() => {
  notice = { vendors, purposes: [{ key: "statistics", on: true, gpc: true }, { key: "ads", gpc: true }] };
  useRule(notice, false);
});

const choice = (grants: Record<string, boolean>, revision = "here", own: Record<string, boolean> = {}): Choice =>
  ({ grants, vendors: own, action: "save", at: 1795453200, revision, gpc: false });

const running = (answer: Choice | null) => ["statistics", "matomo", "ads", "pixel"].filter((key) => allows(notice, answer, key));

test("what no grant is needed for runs before a choice, and nothing else does", () => {
  deepEqual(running(null), ["statistics", "matomo"]);
  equal(allows(notice, null, "unknown"), undefined);
});

test("an objection takes it away, and a refusal of everything is one", () => {
  const refused = complete(notice, () => false);
  deepEqual(running({ ...choice({}), ...refused }), []);
  equal(takes(notice, null, refused), true);
  equal(takes(notice, null, complete(notice, (key) => key == "statistics")), false);
});

test("one vendor can be objected to by itself", () => {
  deepEqual(running(choice({ statistics: true, ads: false }, "here", { matomo: false })), ["statistics"]);
});

test("the browser's signal is an objection that stands before the page", () => {
  useRule(notice, true);
  deepEqual(running(null), []);
  deepEqual(running(choice({ statistics: true, ads: true })), ["statistics", "matomo", "ads", "pixel"]);
});

test("only what was asked for is a grant, so that nothing else brings an identifier", () => {
  equal(grantsAny(choice({ statistics: true, ads: false })), false);
  equal(grantsAny(choice({ statistics: true, ads: true })), true);
  const text = encode({ ...choice({ statistics: true, ads: false }), visitor: "somebody", state: "token" });
  equal(new URLSearchParams(text).get("i") ?? new URLSearchParams(text).get("s"), null);
});

test("of a choice under another rule what was refused stays so", () => {
  const left = objections(choice({ statistics: false, ads: true }, "elsewhere"), "here");
  deepEqual(left.grants, { statistics: false });
  deepEqual(running(left), []);
  deepEqual(objections(choice({ statistics: true, ads: true }, "elsewhere"), "here").grants, {});
});

test("that the visitor was told is no choice, and has no time", () => {
  const text = encode(told("here"));
  equal(text, "v=1&n=here");
  equal(decode(text), null);
  useEdition(text);
  deepEqual([wasTold("here"), wasTold("there")], [true, false]);
});

test("what ran by a rule is no consent where one is needed", () => {
  // As the widget reads it that knows of no rule.
  (globalThis as { RULES?: boolean }).RULES = false;
  equal(stillCounts(decode(encode(choice({ statistics: true, ads: false }, "elsewhere")))!, "here"), false);
  equal(stillCounts(decode(encode(choice({ statistics: false, ads: false }, "elsewhere")))!, "here"), true);
  (globalThis as { RULES?: boolean }).RULES = true;
});
