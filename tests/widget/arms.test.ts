import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import around from "../../static/widget/src/arms";

const page = globalThis as any;
const random = Math.random;
const own = { notice: "own", layout: "bar", texts: { title: "A" } };
const arms = [{ weight: 30, notice: "box", layout: "box" }, { weight: 20, notice: "title", texts: { title: "B" } }];

/** The notice that is shown, at this draw of a hundred. */
function shown(draw: number, given: any = { ...own, arms }): any {
  let got: any;
  Math.random = () => draw / 100;
  around((config) => (got = config))(given);
  return got;
}

page.window = page;
afterEach(() => {
  Math.random = random;
  delete page.consentDraw;
});

for (const [draw, notice] of [[0, "box"], [29.9, "box"], [30, "title"], [49.9, "title"], [50, "own"], [99.9, "own"]] as const)
  test(`a draw of ${draw} falls on ${notice}`, () => assert.equal(shown(draw).notice, notice));

test("an arm has the rest of the site's own", () => {
  assert.deepEqual({ ...shown(0), arms: 0 }, { notice: "box", layout: "box", texts: { title: "A" }, weight: 30, arms: 0 });
});

test("shares are as the weights say", () => {
  const counts: Record<string, number> = {};
  for (let draw = 0; draw < 100; draw += 0.1) {
    const { notice } = shown(draw);
    counts[notice] = (counts[notice] || 0) + 1;
    delete page.consentDraw;
  }
  assert.deepEqual(Object.values(counts).map((count) => Math.round(count / 10)), [30, 20, 50]);
});

test("a later script of the page shows the same arm", () => {
  assert.equal(shown(40).notice, "title");
  assert.equal(shown(0).notice, "title");
});

test("data without arms, or none at all, is handed on", () => {
  assert.deepEqual(shown(0, own), own);
  assert.deepEqual(shown(0, null), {});
});
