// A receipt out of a text: as consent_server/receipts/pasted.py takes it, by the cases of tests/data/pasted.json.

/** An Ed25519 signature in base64url. */
const SIGNATURE_LETTERS = 86;

const isWhole = (receipt) => {
  const parts = receipt.split(".");
  return parts.length === 3 && parts[2].length >= SIGNATURE_LETTERS;
};

/** The receipt in a text, however it was wrapped, indented or quoted; the text itself where none begins in it. */
export function receiptIn(text) {
  // A mail's soft line break, the marks of a quotation, and what has no width.
  const plain = text.replace(/=\r?\n|^[ \t]*(?:[>|][ \t]*)+|[\u00ad\u200b-\u200d\u2060\ufeff]/gm, "");
  const begins = plain.indexOf("eyJ");
  if (begins < 0) return text.trim();
  let receipt = "";
  for (const word of plain.slice(begins).split(/\s+/)) {
    const [part] = word.match(/^[A-Za-z0-9_.-]*/);
    receipt += part;
    if (part !== word || isWhole(receipt)) break;
  }
  return receipt.replace(/\.+$/, "");
}
