export type Flags = Record<string, boolean>;

export interface Purpose {
  key: string;
  signals?: string[];
  gpc?: boolean;
}

export interface Vendor {
  key: string;
  adapter?: string;
  /** The site's own at the vendor, in the order of its file. */
  ids?: string[];
  purposes: string[];
  /** By name, each destination that is to have it. */
  conversions?: Record<string, string[]>;
  /** Where its requests go; only where there is no adapter. */
  hosts?: string[];
}

/** What the site file says of Google's tags beside their ids; each member only where it does. */
export interface Google {
  /** Whether Consent Mode is the widget's. */
  signals?: boolean;
  url_passthrough?: boolean;
  ads_data_redaction?: boolean;
  /** Name of the data layer. */
  layer?: string;
  /** Consent Mode defaults by region, where they differ from "denied". */
  defaults?: ({ region: string[] } & Record<string, string | string[]>)[];
}

export interface Config {
  site: string;
  /** The consent server's public URL. */
  server: string;
  notice: string;
  revision: string;
  widget: string;
  language: string;
  languages: string[];
  /** Languages that are not offered, and the offered one that their readers read. */
  aliases?: Record<string, string>;
  /** Left out where it is "ltr". */
  direction?: string;
  advanced?: boolean;
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
  google?: Google;
  texts: Record<string, string>;
}

/** What an adapter starts from when the notice cannot be used: nothing is ever granted. */
export const EMPTY = { purposes: [] as Purpose[], vendors: [] as Vendor[] };

/** The notice as served, or null when it is damaged: then every tag stays shut. */
export function readConfig(given: unknown): Config | null {
  const config = given as Config;
  try {
    const { purposes, vendors, days, texts } = config;
    // Keys and ids become parts of cookies and addresses.
    const plain = [...purposes, ...vendors].every(({ key, ids }: { key: string; ids?: string[] }) =>
      key && /^[\w-]+$/.test(key) && (ids || []).every((id) => /^[\w./-]*$/.test(id)));
    return plain && days > 0 && texts.accept && texts.refuse ? config : null;
  } catch {
    return null;
  }
}
