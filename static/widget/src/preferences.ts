import { clear } from "./clear";
import type { Purpose, Vendor } from "./config";
import { purge } from "./deletion";
import { mine } from "./mine";
import { cover } from "./placeholder";
import type { Kit, Second } from "./second";
import css from "./preferences.css";

interface Cookie {
  name: string;
  lifetime: string;
  text: string;
  storage?: string;
  host: string;
}

interface VendorDetail {
  key: string;
  operator: string;
  declared?: string;
  policy: string;
  transfer: string;
  cookies: Cookie[];
}

interface Detail {
  controller: string;
  contact: string;
  dpo: string;
  /** What each purpose is for. */
  purposes: Record<string, string>;
  /** Purposes and vendors as people know them. */
  names: Record<string, string>;
  vendors: VendorDetail[];
  texts: Record<string, string>;
}

let styled = false;

function open(detail: Detail, kit: Kit): void {
  const { config, host, root, element, button, allowed } = kit;
  const { texts, names } = detail;
  const light: HTMLElement[] = [];

  /** What tools look for stands in the page's own DOM; the shadow root holds its place. */
  const slotted = (made: HTMLElement, name: string) => {
    made.slot = name;
    light.push(made);
    return element("slot", { name });
  };

  const fact = (name: string, value: string | undefined) =>
    value ? [element("p", {}, element("b", {}, texts[name]), " " + value)] : [];

  const on = (key: string) => (allowed(key) ? { checked: "" } : null);

  const link = (href: string, text: string) => element("a", { href, target: "_blank", rel: "noopener" }, text);

  const row = ({ name, text, lifetime, storage, host: domain }: Cookie) =>
    element("tr", {},
      element("td", {}, element("b", {}, name), " " + (storage || "")),
      element("td", {}, text + (domain && ` (${domain}: ${texts.third_party})`)),
      element("td", {}, lifetime));

  const table = (cookies: Cookie[]) =>
    element("table", {},
      element("tr", {}, ...["cookies", "purpose", "lifetime"].map((name) => element("th", { scope: "col" }, texts[name] || ""))),
      ...cookies.map(row));

  const about = ({ key }: Vendor) => {
    const name = names[key];
    const facts = detail.vendors.find((one) => one.key == key);
    const box = element("input", { type: "checkbox", name: key, ...on(key) });
    return element("div", {},
      element("label", {}, box, name),
      ...(facts ? [element("details", {},
        element("summary", { "aria-label": `${texts.cookies}: ${name}` }, texts.cookies),
        ...fact("operator", facts.operator),
        ...(facts.declared ? [element("p", {}, facts.declared)] : []),
        ...fact("transfer", facts.transfer),
        element("p", {}, link(facts.policy, `${texts.policy} (${name})`)),
        ...(facts.cookies[0] ? [table(facts.cookies)] : []))] : []));
  };

  const group = ({ key }: Purpose) => {
    const its = config.vendors.filter(({ purposes }) => purposes.includes(key));
    const id = "consent-purpose-" + key;
    const toggle = element("input", { type: "checkbox", role: "switch", name: key, id, ...on(key) });
    return element("section", { role: "group", "aria-label": names[key] },
      element("div", { class: "r" },
        slotted(element("label", { for: id }, names[key]), "l-" + key),
        slotted(toggle, "s-" + key)),
      element("p", {}, detail.purposes[key]),
      element("details", {}, element("summary", {}, `${texts.vendors} (${its.length})`), ...its.map(about)));
  };

  const inputs = (): HTMLInputElement[] => [
    ...light.filter((one): one is HTMLInputElement => one.tagName == "INPUT"),
    ...dialog.querySelectorAll("input"),
  ];
  const stated = (key: string) => states()[key];
  const states = () => Object.fromEntries(inputs().map(({ name, checked }) => [name, checked]));

  /** A vendor follows its purposes until it gets an answer of its own; listed twice, it shows the same twice. */
  const follow = (changed: HTMLInputElement) => {
    const now = states();
    now[changed.name] = changed.checked;
    for (const { key, purposes } of config.vendors) {
      if (purposes.includes(changed.name)) now[key] = purposes.some((purpose) => now[purpose]);
    }
    for (const input of inputs()) input.checked = now[input.name];
  };

  const acts: Record<string, () => void> = {
    accept: () => kit.decideAll("accept_all", "preferences"),
    refuse: () => kit.decideAll("refuse_all", "preferences"),
    withdraw: () => kit.decideAll("withdraw", "preferences"),
    save: () => kit.decide("save", "preferences", kit.complete(config, stated, stated)),
    close: () => {},
  };

  const heading = element("h2", { tabindex: "-1" }, texts.title);
  const action = (name: string, text: string, look = "") => slotted(button(name, text, { class: look }), "b-" + name);
  const dialog = element("dialog", { "aria-label": texts.title },
    element("div", { class: "t" },
      slotted(heading, "t"),
      slotted(button("close", "×", { class: "q", "aria-label": texts.close }), "c"),
      element("p", {}, texts.intro)),
    ...config.purposes.map(group),
    ...mine(kit, texts, names, action),
    element("section", {}, element("h3", {}, texts.necessary), element("p", {}, texts.necessary_text)),
    element("section", {},
      ...fact("controller", `${detail.controller} · ${detail.contact}`),
      ...fact("dpo", detail.dpo)),
    element("div", { class: "f" },
      action("refuse", config.texts.refuse, "q"),
      action("accept", config.texts.accept, "q"),
      action("save", texts.save))) as HTMLDialogElement;

  dialog.addEventListener("change", ({ target }) => follow(target as HTMLInputElement));
  dialog.addEventListener("click", (event) => {
    event.stopPropagation();
    const act = acts[(event.target as HTMLElement).dataset.action!];
    if (!act) return;
    dialog.close();
    act();
  });
  // Esc here changes nothing; in the banner behind it, it would refuse.
  dialog.addEventListener("keydown", (event) => event.stopPropagation());
  dialog.addEventListener("close", () => [dialog, ...light].forEach((one) => one.remove()));

  if (!styled) kit.paint(root, css);
  styled = true;
  root.append(dialog);
  host.append(...light);
  dialog.showModal();
  heading.focus();
  if (!dialog.offsetHeight) {
    // A content blocker hides it: shut, so that the page can be used, and to the page that needs no widget.
    dialog.close();
    location.assign(`${kit.base}/sites/${config.site}/choice?lang=${config.language}`);
  }
}

/** The patterns of all that the vendors of one side store on the site's own host. */
const patterns = ({ vendors }: Detail, { allowed }: Kit, on: boolean): string[] =>
  vendors.filter(({ key }) => !!allowed(key) == on).flatMap(({ cookies }) =>
    cookies.filter(({ host }) => !host).map(({ name }) => name));

type Widget = { _(given: null, layer: Second): void };

/** Hands the second layer, with what it tells, to the widget in the page. */
export default (detail: Detail): void =>
  (window as unknown as { consentWidget: Widget }).consentWidget._(null, {
    show: (kit) => open(detail, kit),
    cover: (kit, frame, key) => cover(kit, detail.texts, detail.names[key], frame, key),
    clear: ({ host }, focused) => clear(host, focused),
    purge(kit) {
      const work = () => purge(patterns(detail, kit, false), patterns(detail, kit, true));
      work();
      // A tag that runs may write its cookies once more as the page goes. Its listener came first, ours comes last.
      addEventListener("pagehide", work);
    },
  });
