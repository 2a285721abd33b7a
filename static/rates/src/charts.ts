// The two kinds of charts: lines along days or hours, and bars of a split.
import {
  BarController, BarElement, CategoryScale, Chart, Filler, Legend, LinearScale, LineController, LineElement,
  PointElement, Tooltip, type ChartDataset, type ChartOptions, type Plugin, type TooltipItem,
} from "chart.js";
import { DASHES, SHAPES, faint, hatched, type Palette } from "./palette";

Chart.register(
  BarController, BarElement, CategoryScale, Filler, Legend, LinearScale, LineController, LineElement, PointElement, Tooltip,
);

type Values = (number | null)[];
interface Series { name: string; values: Values; low?: Values; high?: Values }
export interface LineData { labels: string[]; marks: { at: number; letter: string }[]; lines: Series[] }
export interface BarData { labels: string[]; bars: Series[] }

/** Points nearer than this, in pixels, are drawn small, or they would hide the line. */
const DENSE = 12;
const percent = (value: number): string => `${(value * 100).toFixed(1)}\u202f%`;
const amount = new Intl.NumberFormat("en").format;

/** Marks nearer than this share one badge. */
const NEAR = 20;
const BADGE = 9;
/** So far above the plot that the badge of the first day stands clear of the axis. */
const ABOVE = 13;

/** Rates with the band of their interval, or counts; a new notice and the ends of an experiment are lines with a letter. */
export function lines(canvas: HTMLCanvasElement, data: LineData, colours: Palette, rates: boolean): Chart {
  const datasets = data.lines.flatMap((line, index) => [...band(line, index, colours), curve(line, index, colours, data.labels.length)]);
  const options = common(colours, rates ? percent : amount, data.lines);
  options.interaction = { mode: "index", intersect: false };
  options.layout = { padding: { top: data.marks.length ? ABOVE + BADGE : 4 } };
  options.scales = {
    x: { grid: { display: false }, border: { color: colours.quiet }, ticks: { color: colours.quiet, maxRotation: 0, autoSkipPadding: 18 } },
    y: measure(colours, rates),
  };
  return new Chart(canvas, { type: "line", data: { labels: data.labels, datasets }, options, plugins: [marks(data, colours)] });
}

/** Rates of each row, with a whisker for the interval. */
export function bars(canvas: HTMLCanvasElement, data: BarData, colours: Palette): Chart<"bar"> {
  const datasets = data.bars.map((bar, index): ChartDataset<"bar", Values> => ({
    label: bar.name,
    data: bar.values,
    backgroundColor: index % 2 ? hatched(colours.series[index]!, colours.surface) : colours.series[index]!,
    borderColor: colours.series[index]!,
    borderWidth: 1.5,
    barPercentage: 0.82,
    categoryPercentage: 0.78,
  }));
  const options = common(colours, percent, data.bars, false) as ChartOptions<"bar">;
  options.indexAxis = "y";
  options.scales = {
    x: { ...measure(colours, true), suggestedMax: Math.min(1, 1.04 * Math.max(0.1, ...data.bars.flatMap((bar) => bar.high ?? []).map(Number))) },
    y: { grid: { display: false }, border: { color: colours.quiet }, ticks: { color: colours.text, callback(index) { return wrapped(data.labels[Number(index)] ?? ""); } } },
  };
  return new Chart<"bar">(canvas, { type: "bar", data: { labels: data.labels, datasets: datasets as ChartDataset<"bar">[] }, options, plugins: [whiskers(data, colours)] });
}

function curve(line: Series, index: number, colours: Palette, count: number): ChartDataset<"line"> {
  const colour = colours.series[index % colours.series.length]!;
  return {
    label: line.name,
    data: line.values,
    borderColor: colour,
    backgroundColor: colour,
    borderWidth: 2,
    borderDash: DASHES[index % DASHES.length]!,
    pointStyle: SHAPES[index % SHAPES.length]!,
    pointRadius: ({ chart }) => (chart.width / count < DENSE ? 1 : 3),
    pointHoverRadius: 5,
  };
}

/** Two unseen lines with what is between them filled. */
function band(line: Series, index: number, colours: Palette): ChartDataset<"line">[] {
  if (!line.low || !line.high) return [];
  const edge = { borderWidth: 0, pointRadius: 0, pointHoverRadius: 0 };
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

function common(colours: Palette, written: (value: number) => string, series: Series[], lines = true): ChartOptions<"line"> {
  Chart.defaults.font.family = colours.font;
  return {
    animation: false,
    responsive: true,
    maintainAspectRatio: false,
    plugins: {
      legend: {
        align: "start",
        position: lines ? "bottom" : "top",
        // Nothing here can be done with a mouse alone: the legend only says which line is which.
        onClick: () => undefined,
        labels: {
          color: colours.text,
          boxWidth: 28,
          boxHeight: 10,
          padding: 14,
          usePointStyle: lines,
          pointStyleWidth: 34,
          filter: (item) => Boolean(item.text),
          // As the line is: its dash tells it apart, and not its colour alone.
          generateLabels: (chart) =>
            Chart.defaults.plugins.legend.labels.generateLabels(chart).map((item) => (lines ? { ...item, pointStyle: "line", lineWidth: 2.5, lineDash: dash(chart, item.datasetIndex) } : item)),
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

function tooltipLabel(item: TooltipItem<"line">, written: (value: number) => string, series: Series[]): string {
  const line = series.find(({ name }) => name === item.dataset.label);
  const value = line?.values[item.dataIndex];
  if (!line || value === null || value === undefined) return "";
  const low = line.low?.[item.dataIndex];
  const high = line.high?.[item.dataIndex];
  const interval = typeof low === "number" && typeof high === "number" ? ` (${written(low)} to ${written(high)})` : "";
  return `${line.name}: ${written(value)}${interval}`;
}

function marks(data: LineData, colours: Palette): Plugin<"line"> {
  return {
    id: "marks",
    afterDatasetsDraw({ ctx: pen, chartArea: area, width, scales: { x } }) {
      if (!x) return;
      const badges: { letters: string; from: number; to: number }[] = [];
      pen.save();
      pen.strokeStyle = colours.text;
      pen.setLineDash([3, 3]);
      for (const { at, letter } of data.marks) {
        const place = x.getPixelForValue(at);
        pen.beginPath();
        pen.moveTo(place, area.top);
        pen.lineTo(place, area.bottom);
        pen.stroke();
        const last = badges[badges.length - 1];
        if (last && place - last.to < NEAR) [last.letters, last.to] = [`${last.letters} ${letter}`, place];
        else badges.push({ letters: letter, from: place, to: place });
      }
      pen.font = `600 12px ${colours.font}`;
      pen.textAlign = "center";
      pen.textBaseline = "middle";
      for (const { letters, from, to } of badges) {
        const half = Math.max(0, pen.measureText(letters).width / 2 - 4);
        const end = width - BADGE - half;
        const [middle, top] = [Math.min(Math.max((from + to) / 2, BADGE + half), end), area.top - ABOVE];
        pen.fillStyle = colours.text;
        pen.beginPath();
        pen.arc(middle - half, top, BADGE, Math.PI / 2, -Math.PI / 2);
        pen.arc(middle + half, top, BADGE, -Math.PI / 2, Math.PI / 2);
        pen.fill();
        pen.fillStyle = colours.surface;
        pen.fillText(letters, middle, top + 0.5);
      }
      pen.restore();
    },
  };
}

function whiskers(data: BarData, colours: Palette): Plugin<"bar"> {
  return {
    id: "whiskers",
    afterDatasetsDraw(chart) {
      const { ctx: pen, scales: { x } } = chart;
      if (!x) return;
      pen.save();
      pen.strokeStyle = colours.text;
      pen.lineWidth = 1.5;
      data.bars.forEach((bar, index) => {
        chart.getDatasetMeta(index).data.forEach((element, row) => {
          const low = bar.low?.[row];
          const high = bar.high?.[row];
          if (typeof low !== "number" || typeof high !== "number") return;
          const [from, to] = [x.getPixelForValue(low), x.getPixelForValue(high)];
          pen.beginPath();
          for (const end of [from, to]) {
            pen.moveTo(end, element.y - 4);
            pen.lineTo(end, element.y + 4);
          }
          pen.moveTo(from, element.y);
          pen.lineTo(to, element.y);
          pen.stroke();
        });
      });
      pen.restore();
    },
  };
}

/** A long name in lines of some eighteen letters. */
function wrapped(name: string): string[] {
  const rows: string[] = [];
  for (const word of name.split(" ")) {
    const last = rows[rows.length - 1];
    if (last !== undefined && last.length + word.length < 18) rows[rows.length - 1] = `${last} ${word}`;
    else rows.push(word);
  }
  return rows;
}
