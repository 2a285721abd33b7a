// The charts of the page: lines along days, weeks or hours.
import {
  CategoryScale, Chart, Filler, Legend, LinearScale, LineController, LineElement, PointElement, Tooltip,
  type ChartDataset, type ChartOptions, type Plugin, type TooltipItem,
} from "chart.js";
import { DASHES, SHAPES, faint, type Palette } from "./palette";

Chart.register(CategoryScale, Filler, Legend, LinearScale, LineController, LineElement, PointElement, Tooltip);

type Values = (number | null)[];
interface Line { name: string; values: Values; low?: Values; high?: Values }
/** `open` are the places of what is not over; `marks` those of new notices and the like, in the order of their letters. */
export interface LineData { labels: string[]; open: number[]; marks: { at: number }[]; lines: Line[] }

/** Points nearer than this, in pixels, are drawn small, or they would hide the line. */
const DENSE = 12;
const UNFINISHED = [3, 4];
/** A letter on the axis: so wide, with room to the next. */
const LETTER = 26;
const percent = (value: number): string => `${(value * 100).toFixed(1)}\u202f%`;
const amount = new Intl.NumberFormat("en").format;

/** Rates with the band of their interval, or counts; `letters` are put where their marks stand on the axis. */
export function lines(canvas: HTMLCanvasElement, data: LineData, colours: Palette, rates: boolean, letters: HTMLElement[]): Chart {
  const open = new Set(data.open);
  const datasets = data.lines.flatMap((line, index) => [...band(line, index, colours), curve(line, index, colours, data.labels.length, open)]);
  const options = common(colours, rates ? percent : amount, data.lines);
  options.scales = {
    x: {
      grid: { display: false },
      border: { color: colours.quiet },
      ticks: { color: colours.quiet, maxRotation: 0, autoSkipPadding: 18, padding: letters.length ? LETTER / 2 : 3 },
    },
    y: measure(colours, rates),
  };
  return new Chart(canvas, { type: "line", data: { labels: data.labels, datasets }, options, plugins: [marks(data, colours, letters)] });
}

function curve(line: Line, index: number, colours: Palette, count: number, open: Set<number>): ChartDataset<"line"> {
  const colour = colours.series[index % colours.series.length]!;
  return {
    label: line.name,
    data: line.values,
    borderColor: colour,
    backgroundColor: colour,
    borderWidth: 2,
    borderDash: DASHES[index % DASHES.length]!,
    segment: { borderDash: ({ p0DataIndex, p1DataIndex }) => (open.has(p0DataIndex) || open.has(p1DataIndex) ? UNFINISHED : undefined) },
    pointStyle: SHAPES[index % SHAPES.length]!,
    pointRadius: ({ chart, dataIndex }) => (open.has(dataIndex) ? 4 : chart.width / count < DENSE ? 1 : 3),
    pointBackgroundColor: ({ dataIndex }) => (open.has(dataIndex) ? colours.surface : colour),
    pointHoverRadius: 5,
    spanGaps: true,
  };
}

/** Two unseen lines with what is between them filled. */
function band(line: Line, index: number, colours: Palette): ChartDataset<"line">[] {
  if (!line.low || !line.high) return [];
  const edge = { borderWidth: 0, pointRadius: 0, pointHoverRadius: 0, spanGaps: true };
  const fill = faint(colours.series[index % colours.series.length]!, 0.16);
  return [{ ...edge, data: line.low }, { ...edge, data: line.high, fill: "-1", backgroundColor: fill }];
}

function measure(colours: Palette, rates: boolean) {
  return {
    beginAtZero: true,
    suggestedMax: rates ? 0.5 : 1,
    border: { display: false },
    grid: { color: colours.line },
    ticks: {
      color: colours.quiet,
      maxTicksLimit: 6,
      callback: (value: string | number) => (rates ? `${Math.round(Number(value) * 100)}\u202f%` : amount(Number(value))),
    },
  };
}

function common(colours: Palette, written: (value: number) => string, series: Line[]): ChartOptions<"line"> {
  Chart.defaults.font.family = colours.font;
  return {
    animation: false,
    responsive: true,
    maintainAspectRatio: false,
    interaction: { mode: "index", intersect: false },
    plugins: {
      legend: {
        align: "start",
        position: "bottom",
        // Nothing here can be done with a mouse alone: the legend only says which line is which.
        onClick: () => undefined,
        labels: {
          color: colours.text,
          boxWidth: 28,
          boxHeight: 10,
          padding: 14,
          usePointStyle: true,
          pointStyleWidth: 34,
          filter: (item) => Boolean(item.text),
          // As the line is: its dash tells it apart, and not its colour alone.
          generateLabels: (chart) =>
            Chart.defaults.plugins.legend.labels.generateLabels(chart).map((item) => ({ ...item, pointStyle: "line", lineWidth: 2.5, lineDash: dash(chart, item.datasetIndex) })),
        },
      },
      tooltip: {
        filter: (item) => Boolean(item.dataset.label),
        callbacks: { label: (item) => tooltipLabel(item, written, series) },
      },
    },
  };
}

function dash(chart: Chart, dataset = 0): number[] {
  return (chart.data.datasets[dataset] as ChartDataset<"line">).borderDash as number[];
}

function tooltipLabel(item: TooltipItem<"line">, written: (value: number) => string, series: Line[]): string {
  const line = series.find(({ name }) => name === item.dataset.label);
  const value = line?.values[item.dataIndex];
  if (!line || value === null || value === undefined) return "";
  const low = line.low?.[item.dataIndex];
  const high = line.high?.[item.dataIndex];
  const interval = typeof low === "number" && typeof high === "number" ? ` (${written(low)} to ${written(high)})` : "";
  return `${line.name}: ${written(value)}${interval}`;
}

/** A dotted line for each mark, and its letter on the axis, pushed aside where it would lie on the one before. */
function marks(data: LineData, colours: Palette, letters: HTMLElement[]): Plugin<"line"> {
  return {
    id: "marks",
    beforeDatasetsDraw({ ctx: pen, chartArea: area, scales: { x } }) {
      if (!x) return;
      pen.save();
      pen.strokeStyle = colours.text;
      pen.setLineDash([2, 3]);
      let free = 0;
      data.marks.forEach(({ at }, index) => {
        const place = x.getPixelForValue(at);
        pen.beginPath();
        pen.moveTo(place, area.top);
        pen.lineTo(place, area.bottom);
        pen.stroke();
        const left = Math.max(place, free);
        const letter = letters[index];
        if (letter) [letter.style.left, letter.style.top] = [`${left}px`, `${area.bottom}px`];
        free = left + LETTER;
      });
      pen.restore();
    },
  };
}
