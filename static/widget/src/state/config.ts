export type Flags = Record<string, boolean>;

export interface Purpose {
  key: string;
  signals?: string[];
  gpc?: boolean;
  /** Whether it runs before a choice, until somebody objects. Left out where a grant is needed. */
  on?: boolean;
}

export interface Vendor {
  key: string;
  adapter?: string;
  ids?: string[];
  purposes: string[];
  /** Where each conversion of the site file goes. */
  conversions?: Record<string, string[]>;
  /** Where a tag of this vendor that stands in the page ungated comes from. */
  hosts?: string[];
}

/** What a site sets of Google's Consent Mode, where it sets anything. */
export interface ConsentMode {
  /** False: the site itself says the state. */
  signals?: boolean;
  /** The name of the layer, where it is not `dataLayer`. */
  layer?: string;
  /** What is said beside the default: states of regions, settings. */
  calls?: unknown[][];
}

export interface Config {
  site: string;
  notice: string;
  revision: string;
  widget: string;
  /** The consent server's public address. */
  server: string;
  language: string;
  /** Left out where it is "ltr". */
  direction?: string;
  advanced?: boolean;
  /** Where nothing is asked: what runs is told once, or there is a link alone. */
  asks?: "told" | "nothing";
  google?: ConsentMode;
  /** The share of page loads that tell which vendors may run; left out where it is one in 50. */
  sample?: number;
  days: number;
  /** The domain that the choice is kept for; left out where that is the page's own host. */
  domain?: string;
  layout: string;
  /** What the site set beside its layout: colours, corner, font, radius. */
  css: string;
  /** What the first layer says, in order: name, attributes and text of each element. */
  shown: [string, Record<string, string>, string][];
  purposes: Purpose[];
  vendors: Vendor[];
  texts: Record<string, string>;
}

/** What an adapter starts from when the notice cannot be used: nothing is ever granted. */
export const EMPTY = { server: "", purposes: [] as Purpose[], vendors: [] as Vendor[] };

/** The notice as served, or null when it is damaged: then every tag stays shut. */
export function readConfig(given: unknown): Config | null {
  const config = given as Config;
  try {
    const { purposes, vendors, days, texts } = config;
    // Keys and ids become parts of cookies and addresses.
    const plain = [...purposes, ...vendors].every(({ key, ids }: { key: string; ids?: string[] }) =>
      key && /^[\w./,-]+$/.test([key, ids] + ""));
    return plain && days > 0 && texts.accept && texts.refuse ? config : null;
  } catch {
    return null;
  }
}
