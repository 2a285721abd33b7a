/** What the site's developers were told, each once. */
export const warnings: string[] = [];

/** Tell the site's developers, once a text. */
export function warn(text: unknown): void {
  const line = "consent: " + text;
  if (warnings.includes(line)) return;
  warnings.push(line);
  console.warn(line);
}

/** The same function, whose faults never reach the page. */
export const guard = <A extends unknown[], R>(work: (...given: A) => R) =>
  (...given: A): R | undefined => {
    try {
      return work(...given);
    } catch (fault) {
      warn(fault);
    }
  };
