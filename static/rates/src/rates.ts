// Draws the charts of the rates' page. Without it the page says the same, in tables.
import { lines, type LineData } from "./charts";
import { palette } from "./palette";
import type { Chart } from "chart.js";

const source = document.getElementById("charts");
const data: Record<string, LineData> = source ? JSON.parse(source.textContent ?? "{}") : {};
const drawn: Chart[] = [];
let folded: NodeListOf<HTMLDetailsElement> | undefined;

function draw(): void {
  for (const chart of drawn.splice(0)) chart.destroy();
  const colours = palette();
  for (const figure of document.querySelectorAll<HTMLElement>("[data-chart]")) {
    const name = figure.dataset.chart ?? "";
    const chartData = data[name];
    const canvas = figure.querySelector("canvas");
    if (!chartData || !canvas) continue;
    figure.hidden = false;
    drawn.push(lines(canvas, chartData, colours, name !== "counts", [...figure.querySelectorAll<HTMLElement>(".axis > *")]));
  }
  document.body.dataset.drawn = String(drawn.length);
}

// On paper everything is dark on white, also for who reads in the dark, and nothing is wider than the sheet (rates.css).
function print(printing: boolean): void {
  document.documentElement.classList.toggle("printing", printing);
  if (printing) folded = document.querySelectorAll<HTMLDetailsElement>("details:not([open]):has([data-chart])");
  for (const fold of folded ?? []) fold.open = printing;
  draw();
}

if (source) {
  draw();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  addEventListener("beforeprint", () => print(true));
  addEventListener("afterprint", () => print(false));
}
