import type { Kit } from "../layers/later";
import { isWhole } from "../state/state";

/**
 * Tell the server once which vendors could run in this page: those that were granted when it was looked at and those that
 * came to be. Of the visitor it says nothing, and nothing is kept here.
 */
export function sample({ config, allowed, standing, count, guard }: Kit): void {
  // The page around a frame of the site's own is the one that counts.
  if (self != top) return;
  const may = () => config.vendors.filter(({ key }) => allowed(key)).map(({ key }) => key);
  const before = may();
  let told: unknown;
  const tell = guard(({ type }: Event) => {
    if (told || (type != "pagehide" && document.visibilityState == "visible")) return;
    told = true;
    count("page-loads", { answered: isWhole(config, standing()), granted: [...new Set([...before, ...may()])] });
  });
  // On a phone hidden is the last that a page hears.
  addEventListener("visibilitychange", tell, true);
  addEventListener("pagehide", tell);
}
