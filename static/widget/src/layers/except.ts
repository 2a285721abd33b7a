/** A state that does not hold for all, such as "Denied, except YouTube". */
export const except = (texts: Record<string, string>, state: string, names: string[], language: string): string =>
  texts.except.replace("{state}", state).replace("{names}", new Intl.ListFormat(language).format(names));
