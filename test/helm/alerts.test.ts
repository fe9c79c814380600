import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { stringify } from "yaml";
import { runProgram } from "../interop/program.ts";
import { renderChart } from "./chart.ts";
import { findHelm, findPromtool } from "./tools.ts";

// The alerts as Prometheus evaluates them, each minute. What series look like at a target is what the ServiceMonitor gives them.
const tools = { helm: await findHelm(), promtool: await findPromtool() };
const folder = mkdtempSync(join(tmpdir(), "heddle-alerts-"));
beforeAll(async () => {
  if ("missing" in tools.helm) return;
  const { objects } = await renderChart(tools.helm.path, "production");
  writeFileSync(join(folder, "rules.yaml"), stringify(objects.find(({ kind }) => kind === "PrometheusRule")?.spec));
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Scenario {
  /** Metric with its target → its values, one a minute, as promtool writes them: `1x3` is 1 and three more, `_` nothing. */
  series: Record<string, string>;
  /** Minute → the alerts that fire then. */
  firing: Record<number, string[]>;
}

/** The series of a pod of the release `flow-1`: no name in it says whose it is. */
const of = (metric: string, service: string, pod = `${service}-a`, more = ""): string =>
  `${metric}{namespace="flows",job="flow-1",service="${service}",pod="${pod}",app_kubernetes_io_part_of="heddle"${more}}`;

it.for<[string, Scenario]>([
  [
    "are silent when all is well",
    {
      series: {
        [of("up", "execution")]: "1x30",
        [of("heddle_execution_partitions_owned", "execution")]: "40x30",
        [of("up", "execution", "execution-b")]: "1x30",
        [of("heddle_execution_partitions_owned", "execution", "execution-b")]: "24x30",
        [of("up", "scheduler")]: "1x30",
        [of("heddle_scheduler_shards_owned", "scheduler")]: "8x30",
        [of("up", "statemachine")]: "1x30",
        [of("heddle_statemachine_partitions_owned", "statemachine")]: "64x30",
        [of("heddle_scheduler_lost_total", "scheduler")]: "0x30",
      },
      firing: { 20: [] },
    },
  ],
  [
    "tell of a pod under whatever name",
    { series: { [of("up", "worker")]: "1x3 0x10" }, firing: { 3: [], 8: ["HeddlePodUnreachable"] } },
  ],
  [
    "tell of partitions when part of the pods are down",
    {
      series: {
        [of("up", "execution")]: "1x30",
        [of("heddle_execution_partitions_owned", "execution")]: "32x30",
        [of("up", "execution", "execution-b")]: "1x3 0x20",
        [of("heddle_execution_partitions_owned", "execution", "execution-b")]: "32x3 stale",
      },
      firing: { 3: [], 8: ["HeddlePartitionsUnowned", "HeddlePodUnreachable"] },
    },
  ],
  [
    "tell of partitions when all pods have been down from the start",
    {
      series: {
        [of("up", "execution")]: "0x30",
        [of("up", "statemachine")]: "0x30",
        [of("up", "scheduler")]: "0x30",
      },
      firing: {
        8: ["HeddleMachinePartitionsUnowned", "HeddlePartitionsUnowned", "HeddlePodUnreachable", "HeddleShardsUnowned"],
      },
    },
  ],
  [
    "tell of the first task that is lost, for a while",
    {
      series: { [of("heddle_scheduler_lost_total", "scheduler")]: "0x3 1x40" },
      firing: { 3: [], 5: ["HeddleTasksLost"], 40: [] },
    },
  ],
  [
    "tell of the first event that is refused, and of the first that is parked",
    {
      series: {
        [of("heddle_events_refused_total", "execution", "a", ',topic="t"')]: "0x3 1x40",
        [of("heddle_events_parked_total", "execution", "a", ',group="g",topic="t"')]: "0x5 1x40",
      },
      firing: { 3: [], 5: ["HeddleEventsRefused"], 7: ["HeddleEventsParked", "HeddleEventsRefused"] },
    },
  ],
  [
    "tell of slow commits, and not of the last one of a journal at rest",
    {
      series: {
        [of("heddle_execution_journal_flush_seconds", "execution")]: "0.9x60",
        [of("heddle_execution_journal_flushes", "execution")]: "0+10x20 200x40",
      },
      firing: { 10: ["HeddleCommitsSlow"], 40: [] },
    },
  ],
  [
    "tell of slow commits of machines",
    {
      series: {
        [of("heddle_execution_journal_flush_seconds", "execution")]: "0.1x60",
        [of("heddle_execution_journal_flushes", "execution")]: "0+10x60",
        [of("heddle_statemachine_journal_flush_seconds", "statemachine")]: "0.9x60",
        [of("heddle_statemachine_journal_flushes", "statemachine")]: "0+10x60",
      },
      firing: { 10: ["HeddleCommitsSlow"] },
    },
  ],
])("%s", async ([name, { series, firing }], context) => {
  const { helm, promtool } = tools;
  for (const tool of [helm, promtool]) if ("missing" in tool) return context.skip(tool.missing);
  const test = {
    rule_files: ["rules.yaml"],
    evaluation_interval: "1m",
    tests: [
      {
        name,
        interval: "1m",
        input_series: Object.entries(series).map(([metric, values]) => ({ series: metric, values })),
        promql_expr_test: Object.entries(firing).map(([minute, alerts]) => ({
          // Several pods of one alert count once.
          expr: 'group by (alertname) (ALERTS{alertstate="firing"})',
          eval_time: `${minute}m`,
          exp_samples: alerts.map((alert) => ({ labels: `{alertname="${alert}"}`, value: 1 })),
        })),
      },
    ],
  };
  const path = join(folder, "test.yaml");
  writeFileSync(path, stringify(test));
  const { code, stdout, stderr } = await runProgram((promtool as { path: string }).path, ["test", "rules", path]);
  expect(code, `${stdout.toString()}${stderr}`).toBe(0);
});
