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

/** Slanted lines in a colour: what tells the second of two bars from the first. */
export function hatched(colour: string, surface: string): CanvasPattern | string {
  const tile = document.createElement("canvas");
  tile.width = tile.height = 8;
  const pen = tile.getContext("2d");
  if (!pen) return colour;
  pen.fillStyle = surface;
  pen.fillRect(0, 0, 8, 8);
  pen.strokeStyle = colour;
  pen.lineWidth = 2.5;
  for (const shift of [-8, 0, 8]) {
    pen.beginPath();
    pen.moveTo(shift, 8);
    pen.lineTo(shift + 8, 0);
    pen.stroke();
  }
  return pen.createPattern(tile, "repeat") ?? colour;
}
