import type { Kit } from "../layers/later";
import { startTag } from "../page/element";
import { readNumber } from "./number";
import { everywhere } from "./roots";

/** Report the conversion that an element names. */
function convert(kit: Kit, element: HTMLElement): void {
  const { conversion, value, currency, transactionId } = element.dataset;
  const number = readNumber(value);
  if (value && number == null) kit.warn(`data-value is no number: ${startTag(element)}`);
  kit.conversion(conversion!, {
    ...(number != null && { value: number }), ...(currency && { currency }), ...(transactionId && { transaction_id: transactionId }),
  });
}

/** Warn of elements whose conversion nobody is told of, before somebody clicks: in the words that `conversion()` then says. */
export function warnOfConversions({ config, warn }: Kit): void {
  for (const { dataset } of everywhere("[data-conversion]"))
    if (!config.vendors.some(({ conversions }) => conversions?.[dataset.conversion!]))
      warn(`add ${dataset.conversion} to the site file: its calls are dropped`);
}

/** Hear of clicks on what names a conversion, also in open shadow roots. */
export function hearConversions(kit: Kit): void {
  // First of all listeners, since the page's own may send the visitor away.
  document.addEventListener("click", kit.guard((event) => {
    const element = event.composedPath().find((target) => (target as HTMLElement).dataset?.conversion);
    if (element) convert(kit, element as HTMLElement);
  }), true);
}
