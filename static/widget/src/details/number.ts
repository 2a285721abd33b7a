/**
 * A number as a program or a shop writes it: 12.5, "12,50", "€ 1.234,50", "1 234,5 zł". Where it is no number of a
 * program, three digits after the only kind of separator are thousands. Undefined where there is none, or several.
 */
export function readNumber(text = ""): number | undefined {
  if (text.trim() && isFinite(+text)) return +text;
  const [digits, another] = text.match(/-?\d[\d.,'’\s]*/g) || [];
  if (!digits || another) return;
  const plain = digits.replace(/['’\s]|[.,]\s*$/g, "");
  const at = plain.search(/[.,]\d*$/);
  const kinds = new Set(plain.match(/[.,]/g)).size;
  const isDecimal = at > 0 && (kinds == 2 || plain.length - at != 4);
  return +(isDecimal ? plain.slice(0, at).replace(/[.,]/g, "") + "." + plain.slice(at + 1) : plain.replace(/[.,]/g, ""));
}
