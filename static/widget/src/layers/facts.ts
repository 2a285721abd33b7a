import { element } from "../page/element";

interface Cookie {
  name: string;
  lifetime: string;
  text: string;
  storage?: string;
  /** Where it is stored, unless as a cookie or a storage key. */
  kind?: string;
  host: string;
}

export interface VendorDetail {
  key: string;
  operator: string;
  declared?: string;
  policy: string;
  transfer: string;
  cookies: Cookie[];
  /** Parts of the addresses that its tags come from. */
  sources?: string[];
}

/** Who a vendor is, where it takes data, and all that it stores, as elements one below the other. */
export function facts(about: VendorDetail, texts: Record<string, string>, vendor: string): HTMLElement[] {
  const fact = (name: string, value: string) =>
    value ? [element("p", {}, element("b", {}, texts[name]), " " + value)] : [];

  const row = ({ name, text, lifetime, storage, host: domain }: Cookie) =>
    element("tr", {},
      element("td", {}, element("b", {}, name), " " + (storage || "")),
      element("td", {}, text + (domain && ` (${domain}: ${texts.third_party})`)),
      element("td", {}, lifetime));

  const table = (cookies: Cookie[]) =>
    element("table", {},
      element("tr", {}, ...["name", "purpose", "lifetime"].map((name) => element("th", { scope: "col" }, texts[name] || ""))),
      ...cookies.map(row));

  return [
    ...fact("operator", about.operator),
    ...(about.declared ? [element("p", {}, about.declared)] : []),
    ...fact("transfer", about.transfer),
    element("p", {}, element("a", { href: about.policy, target: "_blank", rel: "noopener" }, `${texts.policy} (${vendor})`)),
    ...(about.cookies[0] ? [table(about.cookies)] : []),
  ];
}
