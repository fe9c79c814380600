import { compileChart } from "./chart/compile-chart.ts";
import { compileNodes } from "./compile-nodes.ts";
import type { Finding } from "./finding.ts";
import { summarize } from "./graph/summary.ts";
import type { PlanSummary } from "./graph/summary.ts";
import type { CompileDefinitionOptions } from "./options.ts";
import { buildPlan } from "./plan.ts";
import type { DefinitionPlan, ItemBody } from "./plan.ts";
import { createReport } from "./report.ts";
import { decodeSource } from "./source/decode-source.ts";
import { readSource } from "./source/read-source.ts";
import { checkInteractions } from "./interactions/check-interactions.ts";
import { checkStarts } from "./starts/check-starts.ts";
import { checkWorkflowHandlers } from "./workflow-handlers.ts";
import { findWorkflow, isStateMachine, readWorkflow } from "./workflow.ts";

export interface CompiledDefinition {
  /** Only when no finding is an error. */
  plan?: DefinitionPlan;
  /** What is wrong or looks wrong, in the order of the source; at most 200. */
  findings: Finding[];
  /** Only with a plan. */
  summary?: PlanSummary;
}

/**
 * Reads a definition in YAML or JSON, checks everything about it that can be checked before it runs, and gives what
 * runs: the plan of a workflow of nodes, or the chart of a state machine. Never throws for a bad definition: there is a plan, or at least one finding of severity error.
 * Takes time linear in the source, whatever it holds.
 */
export function compileDefinition(
  source: string | Uint8Array,
  options: CompileDefinitionOptions = {},
): CompiledDefinition {
  const early = createReport("");
  const text = decodeSource(source, early);
  if (text === undefined) return { findings: early.findings(undefined) };
  const report = createReport(text);
  const root = readSource(text, report);
  const workflowAt = root === undefined ? undefined : findWorkflow(root, report);
  if (workflowAt === undefined) return { findings: report.findings(root) };
  if (isStateMachine(workflowAt)) {
    const chart = compileChart(workflowAt, text, options, report);
    return { ...chart, findings: report.findings(root) };
  }
  const workflow = readWorkflow(workflowAt, text, report);
  const { graph, bodies, waits } = compileNodes(workflow, text, options, report);
  checkWorkflowHandlers(workflow, graph, report);
  checkInteractions(workflow, graph, report);
  checkStarts(workflow, text, options, report);
  const findings = report.findings(root);
  return report.hasErrors()
    ? { findings }
    : { plan: buildPlan(workflow, graph, bodies), findings, summary: summarize(graph, waits, countInside(bodies)) };
}

/** Nodes in the bodies of maps. */
function countInside(bodies: ReadonlyMap<number, ItemBody>): number {
  let count = 0;
  for (const { workflow, bodies: inner } of bodies.values()) count += workflow.nodes.length + countInside(inner);
  return count;
}
