import { didYouMean } from "@heddle/expression";

import type { NodeDraft, WorkflowDraft } from "./draft.ts";
import type { CompileDefinitionOptions } from "./options.ts";
import type { Report } from "./report.ts";
import { checkToolInputs } from "./tool-inputs.ts";

/** Whether the tools, agents and workflows that the nodes name are there. Warnings: they may be registered after the definition. */
export function checkCatalog(workflow: WorkflowDraft, options: CompileDefinitionOptions, report: Report): void {
  // Of the body of a map: that of the workflow that it stands in.
  const [rootId] = workflow.id.split(".", 1);
  for (const body of workflow.nodes.flatMap(({ body: own, compensate }) => [
    own,
    ...(compensate ? [compensate.body] : []),
  ])) {
    if (body.kind === "task" && body.taskType === "tool") checkTool(body, options, report);
    else if (body.kind === "task") checkAgent(body, workflow, options, report);
    else if (
      (body.kind === "sub_workflow" || body.kind === "state_machine" || body.kind === "map") &&
      body.workflowAt !== undefined &&
      body.workflowId !== ""
    ) {
      const exists =
        ((body.kind === "sub_workflow" || body.kind === "map") && body.workflowId === rootId) ||
        options.workflowExists?.(body.workflowId) !== false;
      if (!exists)
        report.add(
          "unknown-workflow",
          body.workflowAt,
          `no workflow "${body.workflowId}" is published`,
          "publish it before this one runs",
        );
    }
  }
}

type Task = Extract<NodeDraft["body"], { kind: "task" }>;

/** Missing names, and expressions in their place, are reported where fields are read. */
function isName(name: string): boolean {
  return name !== "" && !name.includes("${");
}

function checkTool(task: Task, { knownTools }: CompileDefinitionOptions, report: Report): void {
  if (knownTools === undefined || task.nameAt === undefined || !isName(task.taskName)) return;
  const tool = knownTools.get(task.taskName);
  if (tool === undefined) {
    report.add(
      "unknown-tool",
      task.nameAt,
      `no tool "${task.taskName}" is registered`,
      () => didYouMean(task.taskName, knownTools.keys()) ?? "start a worker that offers it",
    );
  } else if (tool.inputSchema !== undefined) checkToolInputs(task, tool.inputSchema, report);
}

function checkAgent(
  task: Task,
  { agents }: WorkflowDraft,
  { knownAgents }: CompileDefinitionOptions,
  report: Report,
): void {
  // An agent that is described in place has no `nameAt`.
  if (knownAgents === undefined || task.nameAt === undefined || task.agent !== undefined || !isName(task.taskName))
    return;
  if (knownAgents.has(task.taskName)) return;
  const hint = (): string =>
    didYouMean(task.taskName, [...agents.keys(), ...knownAgents]) ??
    "declare it under `agents`, or start a worker that offers it";
  report.add("unknown-agent", task.nameAt, `no agent "${task.taskName}" is registered or declared`, hint);
}
