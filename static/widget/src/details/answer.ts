import type { Kit } from "../layers/later";
import { writeCookie } from "../state/cookie";
import { forget } from "../state/outbox";
import { grantsAny } from "../state/state";
import { tellProblem } from "./problem";

interface Receipt {
  receipt_url: string;
  visitor: string | null;
  state: string | null;
}

let last: string;

function keepReceipt({ base, choice, config, holdReceipt }: Kit, { receipt_url, visitor, state }: Receipt): void {
  const keep = grantsAny(choice!);
  holdReceipt(receipt_url, keep);
  // On the site's own host the answer has set the cookie. Safari keeps that one for its full life, and
  // one that script writes over it for 7 days.
  if (!keep || base.startsWith(self.origin + "/")) return;
  writeCookie(Object.assign(choice!, { visitor, state }), config);
}

/** Take the server's answer to a decision: a receipt, a problem, or none. What is not recorded waits for the next page. */
export async function takeAnswer(kit: Kit, saved: string, line: string, coming: Promise<Response | undefined>): Promise<void> {
  last = line;
  const answer = await coming;
  const body = await answer?.json().catch(() => undefined);
  if (!answer?.ok || !body) return tellProblem(kit, line, answer?.status, body);
  forget(line);
  if (line != last || !kit.choice) return;
  keepReceipt(kit, body);
  kit.say(saved, "h");
}
