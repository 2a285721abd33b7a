import type { Kit } from "../layers/later";
import type { Flags } from "../state/config";
import { complete, isWhole } from "../state/state";

/** Grant one purpose or vendor and leave the rest as it stands, or as it is asked. */
export function grantOne(kit: Kit, key: string): void {
  const { grants, vendors } = kit.choice || { grants: {} as Flags, vendors: {} as Flags };
  const answer = complete(kit.config,
    (purpose) => purpose == key || grants[purpose],
    (vendor) => vendor == key || vendors[vendor]);
  if (!isWhole(kit.config, kit.choice))
    for (const purpose of Object.keys(answer.grants))
      if (purpose != key && grants[purpose] == null) delete answer.grants[purpose];
  kit.decide("save", "placeholder", answer);
}
