const said: Record<string, boolean> = {};

/** Tell the site's developers, once a text. */
export function warn(text: unknown): void {
  const line = "consent: " + text;
  if (!said[line]) console.warn(line);
  said[line] = true;
}

/** The same function, whose faults never reach the page. */
export const guard = <A extends unknown[], R>(work: (...given: A) => R) =>
  (...given: A): R | undefined => {
    try {
      return work(...given);
    } catch (fault) {
      warn(fault);
    }
    return undefined;
  };
