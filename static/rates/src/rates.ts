// Draws the charts of the rates' page. Without it the page says the same, in tables.
import { bars, lines, type BarData, type LineData } from "./charts";
import { palette } from "./palette";
import type { Chart } from "chart.js";

type Data = Record<string, LineData | BarData>;

const source = document.getElementById("charts");
const data: Data = source ? JSON.parse(source.textContent ?? "{}") : {};
const drawn: Chart[] = [];

function draw(): void {
  for (const chart of drawn.splice(0)) chart.destroy();
  const colours = palette();
  for (const figure of document.querySelectorAll<HTMLElement>("[data-chart]")) {
    const chartData = data[figure.dataset.chart ?? ""];
    const box = figure.querySelector<HTMLElement>(".canvas");
    const canvas = box?.querySelector("canvas");
    if (!chartData || !box || !canvas) continue;
    figure.hidden = false;
    if ("bars" in chartData) box.style.height = `${4.5 + chartData.labels.length * (chartData.bars.length * 0.9 + 0.7)}rem`;
    drawn.push("bars" in chartData ? bars(canvas, chartData, colours) : lines(canvas, chartData, colours, figure.dataset.chart !== "counts"));
  }
  document.body.dataset.drawn = String(drawn.length);
}

// On paper everything is dark on white, also for who reads in the dark.
function print(printing: boolean): void {
  document.documentElement.classList.toggle("printing", printing);
  draw();
}

if (source) {
  draw();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  addEventListener("beforeprint", () => print(true));
  addEventListener("afterprint", () => print(false));
}
