import type { Kit } from "../layers/later";
import { hearConversions, warnOfConversions } from "./conversions";
import { sweep, useGate, type Cover } from "./gate";
import { makeWay } from "./give_way";
import { watch } from "./roots";

let started: boolean;

/** See to what the page's markup asks of the widget, now and whenever it changes. */
export function seeToMarkup(kit: Kit, cover: Cover): void {
  if (started) return;
  started = true;
  const giveWay = makeWay(kit);
  const changed = kit.guard(() => {
    sweep();
    giveWay();
    warnOfConversions(kit);
  });
  useGate(kit, cover);
  hearConversions(kit);
  document.addEventListener("consent:change", changed);
  document.addEventListener("consent:shown", changed);
  watch(["data-consent", "data-src", "data-consent-src", "data-conversion", "open", "inert", "aria-hidden"], changed);
  changed();
}
