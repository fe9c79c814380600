import type { PlanSummary } from "../graph/summary.ts";
import type { CompileDefinitionOptions } from "../options.ts";
import type { Report } from "../report.ts";
import type { SourceMap } from "../source/source-node.ts";
import { buildChart, type ChartPlan } from "./build-chart.ts";
import { checkChartExpressions } from "./check-expressions.ts";
import { checkStructure } from "./check-structure.ts";
import { checkModel } from "./model-check.ts";
import { readChart } from "./read-chart.ts";
import { checkTargets, resolveStates } from "./resolve.ts";

/** Reads and checks a state machine. */
export function compileChart(
  workflow: SourceMap,
  source: string,
  options: CompileDefinitionOptions,
  report: Report,
): { plan?: ChartPlan; summary?: PlanSummary } {
  const chart = readChart(workflow, report);
  const tree = resolveStates(chart, report);
  checkTargets(chart, tree, report);
  checkChartExpressions(chart, tree, source, report);
  checkStructure(chart, tree, options, report);
  // Of a tree with holes it would only repeat what has been said.
  if (!report.hasErrors()) checkModel(chart, tree, report);
  if (report.hasErrors()) return {};
  const names = chart.states.slice(1).map(({ id }) => id);
  return {
    plan: buildChart(chart, tree),
    summary: { nodeCount: names.length, inferredDependencies: [], levels: [], parallelGroups: [], criticalPath: [] },
  };
}
