import { readdirSync, writeFileSync } from "node:fs";
import { expect, it } from "vitest";
import { parse } from "yaml";
import { readSourceTree } from "../source-tree.ts";
import { listExportedMetrics, metricsOf } from "./exported-metrics.ts";
import { readText } from "./services.ts";
import { listLeaves, listValues, valuesTable } from "./values-table.ts";

const CHART = "helm/heddle";
const README = `${CHART}/README.md`;
const RUNBOOK = "docs/operate/runbook.md";
const values = readText(`${CHART}/values.yaml`);
const { alerts } = parse(readText(`${CHART}/files/alerts.yaml`)) as {
  alerts: { alert: string; expr: string; for: string; severity: string; summary: string }[];
};
const dashboards = readdirSync(`${CHART}/files/dashboards`).map((file) => ({
  file,
  text: readText(`${CHART}/files/dashboards/${file}`),
}));
const exported = listExportedMetrics(readSourceTree(process.cwd()));

it.each(["call-graph.yaml", "topics.yaml"])("the chart's copy of deploy/%s is up to date", (file) => {
  // A chart is packed by itself: it can hold no link to what is outside of it.
  expect(readText(`${CHART}/files/${file}`), `cp deploy/${file} ${CHART}/files/`).toBe(readText(`deploy/${file}`));
});

it("the chart's README lists every value as it is", () => {
  const page = readText(README);
  const rewritten = page.replace(
    /(<!-- values -->\n)[\s\S]*?(<!-- end -->)/,
    (_, begin: string, end: string) => `${begin}${valuesTable(values)}${end}`,
  );
  if (process.env["REWRITE"] === "1") writeFileSync(README, rewritten);
  else {
    expect(page, `write it anew: REWRITE=1 npx vitest run --project unit ${import.meta.filename}`).toBe(rewritten);
  }
});

it("describes every value, itself or with those around it", () => {
  const described = listValues(values).map(({ path }) => path);
  expect(described.length).toBeGreaterThan(60);
  const bare = listLeaves(values).filter(
    (leaf) => !described.some((path) => leaf === path || leaf.startsWith(`${path}.`)),
  );
  expect(bare).toEqual([]);
});

it("knows the metrics that there are", () => {
  expect([...exported]).toEqual(
    expect.arrayContaining([
      "heddle_rpc_calls_total",
      "heddle_rpc_duration_seconds_bucket",
      "heddle_execution_partitions_owned",
      "heddle_statemachine_journal_flush_seconds",
      "heddle_scheduler_lost_total",
      "heddle_worker_connected",
      "heddle_consumer_lag",
    ]),
  );
});

it("alerts ask for metrics that services export", () => {
  expect(alerts.length).toBeGreaterThan(15);
  for (const { alert, expr } of alerts) {
    const asked = metricsOf(expr);
    expect(
      asked.filter((name) => !exported.has(name)),
      alert,
    ).toEqual([]);
    if (!/\bup\{/.test(expr)) expect(asked.length, alert).toBeGreaterThan(0);
  }
});

it.each(dashboards)("the dashboard $file asks for metrics that services export", ({ text }) => {
  const { panels } = JSON.parse(text) as { panels: { title: string; targets: { expr: string }[] }[] };
  expect(panels.length).toBeGreaterThan(3);
  for (const { title, targets } of panels) {
    for (const { expr } of targets) {
      const asked = metricsOf(expr);
      expect(asked.length, title).toBeGreaterThan(0);
      expect(
        asked.filter((name) => !exported.has(name)),
        title,
      ).toEqual([]);
    }
  }
});

it("shows every metric that services export on some dashboard", () => {
  const shown = new Set(dashboards.flatMap(({ text }) => metricsOf(text)));
  const forgotten = [...exported].filter((name) => !shown.has(name) && !/_(sum|count)$/.test(name));
  expect(forgotten).toEqual([]);
});

it("has a runbook for each alert, and none for another", () => {
  const headings = [...readText(RUNBOOK).matchAll(/^### (Heddle\w+)$/gm)].map(([, name]) => name);
  expect(headings).toEqual(alerts.map(({ alert }) => alert));
});

it("alerts say how bad it is, and in a sentence what is wrong", () => {
  for (const { alert, severity, summary, for: patience } of alerts) {
    expect(["warning", "critical"], alert).toContain(severity);
    expect(patience).toMatch(/^\d+m$/);
    expect(summary.length, alert).toBeGreaterThan(20);
  }
});
