import type { Kit } from "../layers/later";
import { forget } from "../state/outbox";

/**
 * Whether a refusal ends the matter, since the same body would be refused again. An origin that is not listed yet, a
 * site that is not applied yet, a limit, a broken server, what somebody on the way answers: that can pass.
 */
export const isFinal = (status: number, body?: object): boolean =>
  [400, 409, 413, 415, 422].includes(status) && !!(body as { title?: string })?.title;

/** Tell the site's developers that a decision was not recorded, and why: `body` is the server's problem (RFC 9457). */
export function tellProblem(kit: Kit, line: string, status = 0, body?: object): void {
  if (isFinal(status, body)) forget(line);
  const problem = {
    type: "about:blank", title: status ? "HTTP " + status : "No answer",
    detail: kit.base + (status ? " is not what answers" : " is away, or connect-src does not name it"),
    // What a proxy answers in the server's place may call anything `status`.
    ...body, status, decision_id: JSON.parse(line).decision_id,
  };
  kit.warn(`a decision is not recorded: ${problem.title}: ${problem.detail}`);
  if (status) document.dispatchEvent(new CustomEvent("consent:error", { detail: problem }));
}
