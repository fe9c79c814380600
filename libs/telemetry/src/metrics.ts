import { renderExposition, type Family, type Labels } from "./exposition.ts";
import { MAX_SERIES_PER_METRIC } from "./limits.ts";

export interface Counter {
  /**
   * Adds `amount` (default 1, never negative). Adding 0 puts a series on the page before anything has happened: what
   * Prometheus first sees at 1 has not increased for it, and no alert tells.
   * @throws TypeError when the labels are not those that the counter was registered with
   */
  add(amount?: number, labels?: Labels): void;
}

export interface Histogram {
  observe(value: number, labels?: Labels): void;
}

export interface Metrics {
  /**
   * A number that only grows. By convention the name ends in `_total`. `labels` names those of each series; without
   * any there is one series, which is on the page from now on, as 0.
   */
  counter(name: string, help: string, labels?: readonly string[]): Counter;
  /** A number that is read when the page is asked for, so that it cannot be stale. */
  gauge(name: string, help: string, read: () => number | Iterable<[Labels, number]>): void;
  /** Counts by upper bound; `buckets` ascending, `+Inf` is added. Durations are in seconds, as Prometheus wants them. */
  histogram(name: string, help: string, buckets: readonly number[]): Histogram;
  /** The page in Prometheus text format 0.0.4. */
  text(): string;
}

const METRIC_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;

/**
 * A registry of metrics. Asking twice for the same name gives the same metric, so that parts that know nothing of each
 * other can share one; asking for it as another kind throws. A metric keeps at most MAX_SERIES_PER_METRIC label
 * combinations, and counts what is above them in one series labelled `overflow="true"`.
 */
export function createMetrics(): Metrics {
  const families = new Map<string, Family>();

  function register<F extends Family>(family: F): F {
    if (!METRIC_NAME.test(family.name)) throw new TypeError(`"${family.name}" is not a Prometheus metric name`);
    const known = families.get(family.name);
    if (known === undefined) {
      families.set(family.name, family);
      return family;
    }
    if (known.kind !== family.kind) {
      throw new TypeError(`metric "${family.name}" is a ${known.kind}; it cannot be a ${family.kind} too`);
    }
    // A gauge that is registered again speaks for its newest owner.
    if (family.kind === "gauge") families.set(family.name, family);
    return (family.kind === "gauge" ? family : known) as F;
  }

  return {
    counter(name, help, names = []) {
      const { series } = register({ kind: "counter", name, help, series: new Map() });
      const start = () => ({ value: 0 });
      if (names.length === 0) pointOf(series, {}, start);
      return {
        add(amount = 1, labels = {}) {
          if (!(amount >= 0)) throw new RangeError(`counter "${name}" cannot go down (add ${amount})`);
          const given = Object.keys(labels);
          if (given.length !== names.length || given.some((label, i) => label !== names[i])) {
            throw new TypeError(`counter "${name}" has the labels [${names.join()}], and not [${given.join()}]`);
          }
          pointOf(series, labels, start).value += amount;
        },
      };
    },
    gauge(name, help, read) {
      register({ kind: "gauge", name, help, read });
    },
    histogram(name, help, buckets) {
      const { series, bounds } = register({ kind: "histogram", name, help, bounds: [...buckets], series: new Map() });
      return {
        observe(value, labels = {}) {
          const point = pointOf(series, labels, () => ({ sum: 0, count: 0, counts: bounds.map(() => 0) }));
          point.sum += value;
          point.count += 1;
          const bucket = bounds.findIndex((bound) => value <= bound);
          if (bucket >= 0) point.counts[bucket] = (point.counts[bucket] ?? 0) + 1;
        },
      };
    },
    text: () => renderExposition(families.values()),
  };
}

function pointOf<P>(series: Map<string, P & { labels: Labels }>, labels: Labels, create: () => P): P {
  const key = Object.values(labels).join("\u0000");
  const known = series.get(key);
  if (known !== undefined) return known;
  if (series.size >= MAX_SERIES_PER_METRIC && labels.overflow === undefined) {
    return pointOf(series, { overflow: "true" }, create);
  }
  const point = { ...create(), labels };
  series.set(key, point);
  return point;
}
