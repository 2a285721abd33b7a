import assert from "node:assert/strict";
import { test } from "node:test";
import { decode, encode } from "../../static/widget/src/state/cookie";
import first from "../compat/made-by-0.1.0/cookies.json";
import second from "../compat/made-by-0.2.0/cookies.json";

for (const [release, cookies] of Object.entries({ "0.1.0": first, "0.2.0": second }))
  for (const { name, by_server, by_widget, choice } of cookies)
    for (const value of [by_server, by_widget])
      test(`a cookie of ${release} is read and written again as it was: ${name}`, () => {
        const { visitor, state, ...answer } = choice;
        const read = decode(value);
        assert.deepEqual(read, { ...answer, visitor: visitor ?? undefined, state: state ?? undefined });
        assert.equal(encode(read!), value);
      });
