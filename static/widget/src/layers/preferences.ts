import { button, element, paint } from "../page/element";
import type { Purpose, Vendor } from "../state/config";
import { complete } from "../state/state";
import { except } from "./except";
import type { Kit, Slotted, Works } from "./later";
import css from "./preferences.css";

interface Detail {
  controller: string;
  contact: string;
  dpo: string;
  /** What each purpose is for. */
  purposes: Record<string, string>;
  /** Purposes and vendors as people know them. */
  names: Record<string, string>;
  texts: Record<string, string>;
}

let styled: unknown;

function show({ controller, contact, dpo, purposes, names, texts }: Detail, kit: Kit): void {
  const { config, host, allowed, later } = kit;
  const root = host.shadowRoot!;
  const light: HTMLElement[] = [];
  const inputs: HTMLInputElement[] = [];
  const groups: Record<string, HTMLDetailsElement> = {};
  const words: Record<string, HTMLElement> = {};

  /** What tools look for stands in the page's own DOM; the shadow root holds its place. */
  const slotted: Slotted = (made, name) => {
    made.slot = name;
    light.push(made);
    host.append(made);
    return element("slot", { name });
  };

  const fact = (name: string, value: string) =>
    value ? [element("p", {}, element("b", {}, texts[name]), " " + value)] : [];

  const box = (name: string, attributes = {}) => {
    const made = element("input", { type: "checkbox", name, ...attributes }) as HTMLInputElement;
    made.checked = !!allowed(name);
    inputs.push(made);
    return made;
  };

  /** The place of what another script fills in; a live region, to say when that does not come. */
  const place = () => element("div", { role: "status", class: "w" });
  const orSay = (place: Element) => (done: boolean) => {
    if (!done) place.textContent = config.texts.failed;
  };

  const about = ({ key }: Vendor) => {
    const name = names[key];
    const facts = place();
    const more = element("details", {}, element("summary", { "aria-label": `${texts.cookies}: ${name}` }, texts.cookies), facts);
    // Once it is filled its place is gone, and nothing comes of this.
    more.ontoggle = () => later("facts", facts, key).then(orSay(facts));
    return element("div", {}, element("label", {}, box(key), name), more);
  };

  const group = ({ key }: Purpose) => {
    const its = config.vendors.filter(({ purposes }) => purposes.includes(key));
    const id = "consent-purpose-" + key;
    return element("section", { role: "group", "aria-label": names[key] },
      element("div", { class: "r" },
        slotted(element("label", { for: id }, names[key]), "l-" + key),
        words[key] = element("span", {}),
        slotted(box(key, { role: "switch", id }), "s-" + key)),
      element("p", {}, purposes[key]),
      groups[key] = element("details", {},
        element("summary", {}, `${texts.vendors} (${its.length})`), ...its.map(about)) as HTMLDetailsElement);
  };

  const stated = (key: string) => inputs.find(({ name }) => name == key)?.checked;

  /** A vendor follows its purposes until it gets an answer of its own; listed twice, it shows the same twice. */
  const follow = (changed: HTMLInputElement) => {
    const now = Object.fromEntries(inputs.map(({ name, checked }) => [name, checked]));
    now[changed.name] = changed.checked;
    for (const { key, purposes } of config.vendors) {
      if (purposes.includes(changed.name)) now[key] = purposes.some((purpose) => now[purpose]);
    }
    for (const input of inputs) input.checked = now[input.name];
  };

  /** A purpose of which a vendor differs is neither on nor off, and says and shows which. No switch can say so (ARIA). */
  const mix = () => {
    for (const { key } of config.purposes) {
      const input = inputs.find(({ name }) => name == key)!;
      const apart = config.vendors.filter((vendor) =>
        vendor.purposes.includes(key) && stated(vendor.key) != vendor.purposes.some(stated)).map((vendor) => names[vendor.key]);
      const isMixed = (input.indeterminate = !!apart[0]);
      const state = texts[input.checked ? "on" : "off"];
      words[key].textContent = isMixed ? except(texts, state, apart, config.language) : state;
      words[key].className = isMixed ? "x" : "";
      input.setAttribute("role", isMixed ? "checkbox" : "switch");
      if (isMixed) groups[key].open = true;
    }
  };

  const acts: Record<string, () => void> = {
    accept: () => kit.decideAll("accept_all", "preferences"),
    refuse: () => kit.decideAll("refuse_all", "preferences"),
    withdraw: () => kit.decideAll("withdraw", "preferences"),
    save: () => kit.decide("save", "preferences", complete(config, stated, stated)),
    close: () => {},
  };

  const heading = element("h2", { tabindex: "-1" }, texts.title);
  const answers = [
    button("refuse", config.texts.refuse, { class: "q" }),
    button("accept", (RULES && texts.accept) || config.texts.accept, { class: "q" }),
    button("save", texts.save),
  ];
  const foot = element("div", { class: "f" }, ...answers.map((answer) => slotted(answer, "b-" + answer.dataset.action)));
  const mine = place();
  const dialog = element("dialog", { "aria-label": texts.title },
    element("div", { class: "t" },
      slotted(heading, "t"),
      slotted(button("close", "×", { class: "q", "aria-label": texts.close }), "c"),
      element("p", {}, texts.intro)),
    ...config.purposes.map(group),
    ...(kit.choice ? [mine] : []),
    element("section", {}, element("h3", {}, texts.necessary), element("p", {}, texts.necessary_text)),
    element("section", {}, ...fact("controller", `${controller} · ${contact}`), ...fact("dpo", dpo)),
    foot) as HTMLDialogElement;

  dialog.onchange = ({ target }) => {
    follow(target as HTMLInputElement);
    mix();
  };
  dialog.onclick = (event) => {
    event.stopPropagation();
    const act = acts[(event.target as HTMLElement).dataset.action!];
    if (!act) return;
    dialog.close();
    act();
  };
  // Esc here changes nothing; in the banner behind it, it would refuse.
  dialog.onkeydown = (event) => event.stopPropagation();
  dialog.onclose = () => {
    [dialog, ...light].forEach((element) => element.remove());
    delete host.dataset.behind;
  };

  styled ||= paint(root, css);
  root.append(dialog);
  mix();
  host.dataset.behind = "";
  dialog.showModal();
  // One below the other where one would take two lines.
  if (answers[0].offsetHeight > answers[2].offsetHeight) foot.className = "f v";
  heading.focus();
  // Asked for once, whatever page the address leads to next.
  if (location.hash == "#consent") history.replaceState(history.state, "", location.pathname + location.search);
  if (kit.choice) later("mine", mine, slotted).then(orSay(mine));
  if (dialog.offsetHeight) return;
  // A content blocker hides it: shut, so that the page can be used, and to the page that needs no widget.
  dialog.close();
  location.assign(`${kit.base}/sites/${config.site}/choice?lang=${config.language}`);
}

type Widget = { _(given: null, works: Partial<Works>): void };

/** Hands the second layer, with what it tells, to the widget in the page. */
export default (detail: Detail): void =>
  (window as unknown as { consentWidget: Widget }).consentWidget._(null, { show: (kit) => show(detail, kit) });
