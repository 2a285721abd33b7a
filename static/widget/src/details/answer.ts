import type { Kit } from "../layers/later";
import { lifeOf, writeCookie } from "../state/cookie";
import { forget, waiting } from "../state/outbox";
import { grantsAny, type Answer, type Choice } from "../state/state";
import { confirm } from "./confirm";
import { tellProblem } from "./problem";

interface Receipt {
  receipt_id: string;
  receipt_url: string;
  visitor: string | null;
  state: string | null;
}

/** Write the choice over what the cookie holds; no answer of the server lengthens it. */
const rewrite = (choice: Choice, { config }: Kit): void => writeCookie(choice, config, lifeOf(choice, config));

const same = (one: object, other: object): boolean =>
  `${Object.entries(one).sort()}` == `${Object.entries(other).sort()}`;

/** Whether a decision is the one that stands: another act of the visitor, here or in another tab, may have come since. */
function stands(kit: Kit, line: string): boolean {
  const { grants, vendors }: Answer = JSON.parse(line);
  const choice = kit.standing();
  return !!choice && same(choice.grants, grants) && same(choice.vendors, vendors);
}

function keepReceipt(kit: Kit, { receipt_url, visitor, state }: Receipt, again?: boolean): void {
  const choice = kit.standing()!;
  const keep = grantsAny(choice);
  kit.holdReceipt(receipt_url, keep);
  // On the site's own host the answer has set the cookie. Safari keeps that one for its full life, and
  // one that script writes over it for 7 days.
  if (!keep || !again && kit.base.startsWith(self.origin + "/")) return;
  rewrite(Object.assign(choice, { visitor, state }), kit);
}

/** Take the server's answer to a decision: a receipt, a problem, or none. What is not recorded waits for the next page. */
export async function takeAnswer(
  kit: Kit, saved: string, line: string, coming: Promise<Response | undefined>, again?: boolean,
): Promise<void> {
  // What was said of an earlier decision is not true of this.
  if (!again) kit.say("");
  const answer = await coming;
  const body = await answer?.json?.().catch(() => undefined);
  // Another program's JSON, with a status that means well, is no record.
  if (!answer?.ok || !body?.receipt_id) return tellProblem(kit, line, answer?.status, body);
  forget(line);
  if (!stands(kit, line)) {
    // An answer that was long under way has set the cookie of what it answers.
    const choice = kit.standing();
    return choice ? rewrite(choice, kit) : undefined;
  }
  keepReceipt(kit, body, again);
  confirm(kit, saved);
}

/** Send what waits, one after the other, as it was decided. */
export async function resend(kit: Kit, saved: string): Promise<void> {
  // Without credentials: an answer to an old decision must set no cookie over what stands now.
  for (const line of waiting()) await takeAnswer(kit, saved, line, kit.send("decisions", line, "omit"), true);
}
