import assert from "node:assert/strict";
import { test } from "node:test";
import { readNumber } from "../../../static/widget/src/details/number";

test("numbers as programs and shops write them", () => {
  const written: Record<string, number> = {
    "12.5": 12.5, "0": 0, "-3": -3, "1e3": 1000, " 9 ": 9, "12,50": 12.5, "€ 12.50": 12.5, "12,50 €": 12.5, "EUR 12,5": 12.5,
    "1.234,50": 1234.5, "1,234.50": 1234.5, "1 234,5 zł": 1234.5, "1\u202f234,50 €": 1234.5, "1'234.50": 1234.5, "CHF 1’234.–": 1234,
    "1,234": 1234, "€ 1.234": 1234, "1,234,567": 1234567, "1.234.567,89": 1234567.89, "1,00,000.50": 100000.5, "0,99": 0.99,
    "$1,299.00": 1299, "-12,50": -12.5, "1.234": 1.234,
  };
  for (const [text, number] of Object.entries(written)) assert.equal(readNumber(text), number, text);
});

test("what is none, or several, is none", () => {
  for (const text of [undefined, "", " ", "free", "10-20", "2 × 9,90", "€", "١٢"]) assert.equal(readNumber(text), undefined, text);
});
