export type Flags = Record<string, boolean>;

export interface Purpose {
  key: string;
  title: string;
  text: string;
  signals?: string[];
  gpc?: boolean;
}

export interface Vendor {
  key: string;
  name: string;
  adapter: string | null;
  id?: string;
  purposes: string[];
  cookies?: string[];
  storage?: string[];
  conversions?: Record<string, string>;
}

export interface Colours {
  accent: string;
  on_accent: string;
  accent_dark: string;
  on_accent_dark: string;
}

export interface Config {
  site: string;
  notice: string;
  revision: string;
  widget: string;
  language: string;
  languages: string[];
  direction: string;
  advanced: boolean;
  days: number;
  layout: string;
  colours: Colours;
  policy: { privacy: string; cookies?: string };
  purposes: Purpose[];
  vendors: Vendor[];
  texts: Record<string, string>;
}

/** What an adapter starts from when the notice cannot be used: nothing is ever granted. */
export const EMPTY = { advanced: false, purposes: [] as Purpose[], vendors: [] as Vendor[] };

const plain = (name: string) => name.match(/^[\w-]+$/);

/** The notice as served, or null when it is damaged: then every tag stays shut. */
export function readConfig(given: unknown): Config | null {
  const config = given as Config;
  try {
    const purposes = config.purposes.map((purpose) => purpose.key);
    return config.days > 0 &&
      config.site && config.texts.accept && config.texts.refuse &&
      purposes.every(plain) &&
      config.vendors.every(({ key, id, purposes: its }) =>
        plain(key) && plain(id || key) && its.every((purpose) => purposes.includes(purpose)))
      ? config
      : null;
  } catch {
    return null;
  }
}
