// A page's own code against consent-widget.d.ts. The compiler runs over it: what is right must pass, and each line
// that is expected to be wrong must fail.
import type { ConsentWidget, Decision, Problem } from "../../../static/widget/dist/consent-widget";

export function right(widget: ConsentWidget): void {
  widget.show();
  widget.showPreferences();
  widget.acceptAll();
  widget.refuseAll();
  widget.withdraw();
  widget.save({ grants: { analytics: true } });
  widget.save({ grants: {}, vendors: { "meta-pixel": false } });
  widget.conversion("signup");
  widget.conversion("purchase", { value: 12.5, currency: "EUR", transaction_id: "A-1", items: [] });
  const granted: boolean = widget.allows("analytics");
  const receipt: string | null = widget.receiptUrl;
  const analytics: boolean | undefined = widget.decision?.grants.analytics;
  widget.on("ready", (decision: Decision | null) => console.log(decision?.at, granted, receipt, analytics));
  widget.on("shown", (decision) => decision?.action);
  widget.on("change", ({ action, grants, vendors, gpc }) => console.log(action, grants, vendors, gpc));
  widget.on("error", ({ title, status, detail, decision_id }: Problem) => console.log(title, status, detail, decision_id));
  document.addEventListener("consent:ready", ({ detail }) => detail?.grants);
  document.addEventListener("consent:change", ({ detail }) => detail.grants.analytics);
  document.addEventListener("consent:error", ({ detail }) => detail.status.toFixed());
  window.consentWidget?.show();
}

export function wrong(widget: ConsentWidget): void {
  // @ts-expect-error  the widget may not be there yet
  window.consentWidget.show();
  // @ts-expect-error  no such method
  widget.hide();
  // @ts-expect-error  the answers stand in `grants`
  widget.save({ analytics: true });
  // @ts-expect-error  "yes" is no grant
  widget.save({ grants: { analytics: "yes" } });
  // @ts-expect-error  a key is a string
  widget.allows(1);
  // @ts-expect-error  the decision is read, and made by `save`
  widget.decision = null;
  // @ts-expect-error  nor can a grant be written into it
  if (widget.decision) widget.decision.grants.analytics = true;
  // @ts-expect-error  null before a choice
  widget.decision.grants;
  // @ts-expect-error  a number as a shop prints it
  widget.conversion("purchase", { value: "12,50" });
  // @ts-expect-error  no such event
  widget.on("changed", () => 0);
  // @ts-expect-error  `on` names events without `consent:`
  widget.on("consent:change", () => 0);
  // @ts-expect-error  a problem is no decision
  widget.on("error", (decision: Decision) => decision.grants);
  // @ts-expect-error  before a choice there is none
  document.addEventListener("consent:ready", ({ detail }) => detail.grants);
  // @ts-expect-error  what the widget keeps to itself
  widget._(null);
}
