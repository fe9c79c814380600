import { describe, expect, it } from "vitest";
import { MAX_SERIES_PER_METRIC } from "./limits.ts";
import { createMetrics } from "./metrics.ts";

describe("createMetrics", () => {
  it("writes the text format that Prometheus reads", () => {
    const metrics = createMetrics();
    const calls = metrics.counter("calls_total", "Calls,\nby \\ code.", ["code", "path"]);
    calls.add(1, { code: "OK", path: 'a"b\\c\nd' });
    calls.add(2, { code: "OK", path: 'a"b\\c\nd' });
    metrics.gauge("depth", "Queue depth.", () => 7);
    metrics.gauge("lag", "Lag.", () => [
      [{ partition: "0" }, 1.5],
      [{ partition: "1" }, Number.POSITIVE_INFINITY],
    ]);
    const seconds = metrics.histogram("seconds", "Time.", [0.1, 1]);
    for (const value of [0.05, 0.1, 0.5, 3]) seconds.observe(value, { method: "m" });
    expect(metrics.text()).toBe(
      [
        "# HELP calls_total Calls,\\nby \\\\ code.",
        "# TYPE calls_total counter",
        'calls_total{code="OK",path="a\\"b\\\\c\\nd"} 3',
        "# HELP depth Queue depth.",
        "# TYPE depth gauge",
        "depth 7",
        "# HELP lag Lag.",
        "# TYPE lag gauge",
        'lag{partition="0"} 1.5',
        'lag{partition="1"} +Inf',
        "# HELP seconds Time.",
        "# TYPE seconds histogram",
        'seconds_bucket{method="m",le="0.1"} 2',
        'seconds_bucket{method="m",le="1"} 3',
        'seconds_bucket{method="m",le="+Inf"} 4',
        'seconds_sum{method="m"} 3.65',
        'seconds_count{method="m"} 4',
        "",
      ].join("\n"),
    );
  });

  it("gives the same metric for the same name, and refuses another kind under it", () => {
    const metrics = createMetrics();
    metrics.counter("a_total", "A.").add();
    metrics.counter("a_total", "A.").add();
    expect(metrics.text()).toContain("a_total 2");
    expect(() => metrics.gauge("a_total", "A.", () => 1)).toThrow(/is a counter; it cannot be a gauge/);
  });

  it("shows a counter before its first event, so that Prometheus sees the first one as an increase", () => {
    const metrics = createMetrics();
    metrics.counter("lost_total", "Lost.");
    const refused = metrics.counter("refused_total", "Refused.", ["topic"]);
    expect(metrics.text()).toContain("\nlost_total 0\n");
    // No series without labels beside those that have them.
    expect(metrics.text()).not.toMatch(/^refused_total/m);
    refused.add(0, { topic: "orders" });
    expect(metrics.text()).toContain('\nrefused_total{topic="orders"} 0\n');
  });

  it("refuses labels that a counter was not registered with", () => {
    const metrics = createMetrics();
    expect(() => metrics.counter("lost_total", "Lost.").add(1, { topic: "orders" })).toThrow(
      'counter "lost_total" has the labels [], and not [topic]',
    );
    expect(() => metrics.counter("refused_total", "Refused.", ["topic"]).add()).toThrow(TypeError);
  });

  it("refuses what Prometheus would", () => {
    const metrics = createMetrics();
    expect(() => metrics.counter("a-b", "A.")).toThrow(/not a Prometheus metric name/);
    expect(() => metrics.counter("a_total", "A.").add(-1)).toThrow(/cannot go down/);
    expect(() => metrics.counter("a_total", "A.").add(Number.NaN)).toThrow(/cannot go down/);
  });

  it("keeps label combinations apart even when their values run together", () => {
    const metrics = createMetrics();
    metrics.counter("a_total", "A.", ["x", "y"]).add(1, { x: "1", y: "" });
    metrics.counter("a_total", "A.", ["x", "y"]).add(2, { x: "", y: "1" });
    expect(metrics.text()).toContain('a_total{x="1",y=""} 1\na_total{x="",y="1"} 2');
  });

  it("bounds the series of a metric and counts the rest as overflow", () => {
    const metrics = createMetrics();
    const calls = metrics.counter("a_total", "A.", ["id"]);
    for (let id = 0; id < MAX_SERIES_PER_METRIC + 50; id += 1) calls.add(1, { id: String(id) });
    const lines = metrics.text().trimEnd().split("\n");
    expect(lines).toHaveLength(2 + MAX_SERIES_PER_METRIC + 1);
    expect(lines.at(-1)).toBe('a_total{overflow="true"} 50');
  });
});
