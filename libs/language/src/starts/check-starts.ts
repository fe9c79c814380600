import type { StartsDraft, WorkflowDraft } from "../draft.ts";
import type { CompileDefinitionOptions } from "../options.ts";
import type { Report } from "../report.ts";
import type { SourceNode } from "../source/source-node.ts";
import { findConstantFaults } from "../tool-inputs.ts";
import { createStartExpressionCheck, EVENT_SCOPE, SCHEDULE_SCOPE } from "./start-expressions.ts";

/** Everything about schedules and triggers that is more than the form of their fields. */
export function checkStarts(
  workflow: WorkflowDraft,
  source: string,
  options: CompileDefinitionOptions,
  report: Report,
): void {
  const { schedules, triggers } = workflow.starts;
  checkIds(schedules, "schedules", report);
  checkIds(triggers, "triggers", report);
  const check = createStartExpressionCheck(source, report);
  for (const { inputAt } of schedules) if (inputAt !== undefined) check.template(inputAt, SCHEDULE_SCOPE);
  for (const { inputAt, filter } of triggers) {
    if (inputAt !== undefined) check.template(inputAt, EVENT_SCOPE);
    if (filter !== undefined) check.condition(filter, EVENT_SCOPE);
  }
  for (const [what, start] of [
    ...schedules.map((schedule) => ["schedule", schedule] as const),
    ...triggers.map((trigger) => ["trigger", trigger] as const),
  ]) {
    checkInput(what, start, workflow, report);
  }
  for (const trigger of triggers) checkSource(trigger, workflow.id, options, report);
}

function checkIds(starts: readonly { id: string; at: SourceNode }[], what: string, report: Report): void {
  const first = new Map<string, SourceNode>();
  for (const { id, at } of starts) {
    const known = first.get(id);
    if (known === undefined) first.set(id, at);
    else if (id !== "") {
      const hint = `give one of them another id; the first is on line ${report.lineOf(known.start)}`;
      report.add("duplicate-id", at, `there are two ${what} "${id}"`, hint);
    }
  }
}

/** What is constant in it; what expressions give is checked at the start, by the schema of the version that is active then. */
function checkInput(
  what: string,
  { id, at, input, inputAt }: StartsDraft["schedules"][number] | StartsDraft["triggers"][number],
  { inputSchema }: WorkflowDraft,
  report: Report,
): void {
  if (inputSchema === undefined) return;
  for (const { node, text } of findConstantFaults(input ?? {}, inputAt ?? at, inputSchema)) {
    const message = `the input that the ${what} "${id}" gives is wrong${text}`;
    report.add("bad-start-input", node, message, 'give it in "input", as the schema of the workflow\'s input says');
  }
}

function checkSource(
  { id, source, workflowAt, filter }: StartsDraft["triggers"][number],
  ownId: string,
  { workflowExists }: CompileDefinitionOptions,
  report: Report,
): void {
  if (workflowAt === undefined) return;
  const { workflowId } = source;
  if (workflowId === ownId) {
    if (filter !== undefined) return;
    const message = `the trigger "${id}" starts "${ownId}" again whenever it ends`;
    report.add("trigger-loop", workflowAt, message, "add a filter that ends the circle, or name another workflow");
  } else if (workflowExists?.(workflowId) === false) {
    const message = `no workflow "${workflowId}" is published`;
    report.add("unknown-workflow", workflowAt, message, "publish it: before, nothing starts this one");
  }
}
