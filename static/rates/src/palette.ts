// The colours of the page, as its style sheet has them for light, dark and paper.

export interface Palette {
  text: string;
  quiet: string;
  line: string;
  surface: string;
  series: string[];
  font: string;
}

/** Lines differ by dash and by the shape of their points as well, so that nobody needs the colours. */
export const DASHES = [[], [7, 4], [2, 3], [10, 3, 2, 3], [4, 2]];
export const SHAPES = ["circle", "rectRot", "triangle", "rect", "crossRot"] as const;

export function palette(): Palette {
  const style = getComputedStyle(document.documentElement);
  const value = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  return {
    text: value("text"),
    quiet: value("quiet"),
    line: value("line"),
    surface: value("surface"),
    series: ["series-1", "series-2", "series-3", "series-4", "series-5"].map(value),
    font: getComputedStyle(document.body).fontFamily,
  };
}

/** A colour of the form #rrggbb with an opacity. */
export function faint(colour: string, opacity: number): string {
  return `${colour}${Math.round(opacity * 255).toString(16).padStart(2, "0")}`;
}
