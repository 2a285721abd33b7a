// The packed package as a compiler sees it: what is right must pass, and each line that is expected to be wrong must fail.
import { loadConsentWidget, type ConsentWidget, type Decision } from "@consent-server/embed";
import { useConsent as useInReact } from "@consent-server/embed/react";
import { useConsent as useInVue } from "@consent-server/embed/vue";

const widget: ConsentWidget = await loadConsentWidget({ site: "shop", server: "/_consent", nonce: "n", language: "fr", debug: true });
widget.on("change", (decision: Decision) => decision.grants.analytics);
document.addEventListener("consent:error", ({ detail }) => detail.title);
window.consentWidget?.showPreferences();

const inReact = useInReact();
const action: string | undefined = inReact.decision?.action;
const granted: boolean = inReact.ready && inReact.allows("analytics");

const inVue = useInVue();
const same: string | undefined = inVue.decision.value?.action;
const too: boolean = inVue.ready.value && inVue.allows("analytics");
console.log(action, granted, same, too);

// @ts-expect-error  a site has a key
loadConsentWidget({ server: "/_consent" });
// @ts-expect-error  it comes later
loadConsentWidget({ site: "shop", server: "/_consent" }).show();
// @ts-expect-error  null before a choice
inReact.decision.grants;
// @ts-expect-error  it is read
inReact.ready = true;
// @ts-expect-error  a ref has its value in `value`
inVue.decision.grants;
