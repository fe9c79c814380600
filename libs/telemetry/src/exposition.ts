/** Label values of one series. Values must come from a small set: never an id. */
export type Labels = Record<string, string>;

/** What an HTTP answer with the page says of itself. */
export const METRICS_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

export type Family = CounterFamily | GaugeFamily | HistogramFamily;

export interface CounterFamily {
  kind: "counter";
  name: string;
  help: string;
  series: Map<string, { labels: Labels; value: number }>;
}

export interface GaugeFamily {
  kind: "gauge";
  name: string;
  help: string;
  read: () => number | Iterable<[Labels, number]>;
}

export interface HistogramFamily {
  kind: "histogram";
  name: string;
  help: string;
  bounds: number[];
  /** `counts[i]` are the values in bucket i alone; the page adds them up. */
  series: Map<string, { labels: Labels; sum: number; count: number; counts: number[] }>;
}

/** Prometheus text format 0.0.4. */
export function renderExposition(families: Iterable<Family>): string {
  let page = "";
  for (const family of families) {
    page += `# HELP ${family.name} ${escapeHelp(family.help)}\n# TYPE ${family.name} ${family.kind}\n`;
    for (const line of linesOf(family)) page += `${line}\n`;
  }
  return page;
}

function* linesOf(family: Family): Iterable<string> {
  switch (family.kind) {
    case "counter":
      for (const { labels, value } of family.series.values()) yield line(family.name, labels, value);
      return;
    case "gauge": {
      const read = family.read();
      if (typeof read === "number") yield line(family.name, {}, read);
      else for (const [labels, value] of read) yield line(family.name, labels, value);
      return;
    }
    case "histogram":
      for (const { labels, sum, count, counts } of family.series.values()) {
        let below = 0;
        for (const [i, bound] of family.bounds.entries()) {
          below += counts[i] ?? 0;
          yield line(`${family.name}_bucket`, { ...labels, le: number(bound) }, below);
        }
        yield line(`${family.name}_bucket`, { ...labels, le: "+Inf" }, count);
        yield line(`${family.name}_sum`, labels, sum);
        yield line(`${family.name}_count`, labels, count);
      }
  }
}

function line(name: string, labels: Labels, value: number): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escapeLabel(text)}"`);
  return pairs.length === 0 ? `${name} ${number(value)}` : `${name}{${pairs.join(",")}} ${number(value)}`;
}

function number(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return "+Inf";
  if (value === Number.NEGATIVE_INFINITY) return "-Inf";
  return String(value);
}

function escapeHelp(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

function escapeLabel(text: string): string {
  return escapeHelp(text).replaceAll('"', '\\"');
}
