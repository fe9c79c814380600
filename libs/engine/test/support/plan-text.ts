import type { Json, PlanDocument, PlanNode, RetryPolicy, SwitchCase } from "../../src/index.ts";
import { type Words, parseWords, toWord } from "./words.ts";

/** Without jitter, so that times can be read off a scenario. */
export const TEST_RETRY: RetryPolicy = {
  maxAttempts: 3,
  initialIntervalMs: 1_000,
  backoff: 2,
  maxIntervalMs: 60_000,
  jitter: 0,
  nonRetryable: [],
};

/**
 * A plan from lines of text. A line is `<id> <kind> key=value ...`, or `workflow key=value ...` for the workflow's own
 * fields. Common keys: after=a,b (dependencies), when, join. Activators follow from the switches and parallels.
 *
 * task: tool=name | agent=name, inputs, retry (changes to TEST_RETRY), timeoutMs, heartbeatTimeoutMs, priority
 * set, transform, log, emit, fail, wait: the fields of the action
 * switch: on=expression, <literal>=>targets and `{expression}=>targets` and else=>targets in order
 * parallel: branches=a,b; race=true for wait_all: false
 * merge, collect: inputs, sources (default: the dependencies)
 * child: workflow, version, inputs
 * machine: workflow, version, key, context, events
 */
export function parsePlan(lines: string[]): PlanDocument {
  const document: PlanDocument = { format: "heddle.plan/1", workflowId: "test", type: "dag", nodes: [] };
  const parsed = lines.map((line) => parseWords(line));
  const nodeLines = parsed.filter(({ words }) => words[0] !== "workflow");
  const indices = new Map(nodeLines.map(({ words }, index) => [words[0] as string, index]));
  const indexOf = (id: string): number => {
    const index = indices.get(id);
    if (index === undefined) throw new Error(`the plan names node ${id}, which it does not have`);
    return index;
  };
  for (const { words, values } of parsed) {
    if (words[0] === "workflow") Object.assign(document, Object.fromEntries(values));
  }
  document.nodes = nodeLines.map((line) => parseNode(line, (list) => splitList(list).map(indexOf)));
  linkActivators(document.nodes);
  return document;
}

/** Fills the `activators` of nodes from the switches and parallels that name them. */
export function linkActivators(nodes: PlanNode[]): void {
  for (const [index, node] of nodes.entries()) {
    const targets =
      node.kind === "parallel"
        ? node.branches
        : node.kind === "switch"
          ? [...node.cases.flatMap((one) => one.targets), ...node.defaultTargets]
          : [];
    for (const target of new Set(targets)) nodes[target]?.activators.push(index);
  }
}

type Resolve = (list: Json | undefined) => number[];

function parseNode({ words, values }: Words, resolve: Resolve): PlanNode {
  const [id, kind, ...rest] = words as [string, string, ...string[]];
  const fields = Object.fromEntries(values);
  const { after, join, when, ...own } = fields;
  const base = {
    id,
    dependencies: resolve(after).toSorted((a, b) => a - b),
    activators: [],
    join: (join ?? (kind === "merge" || kind === "collect" ? "any" : "all")) as "all" | "any",
    ...(when !== undefined && { when: toWord(when) }),
  };
  switch (kind) {
    case "task": {
      const { tool, agent, retry, ...options } = own;
      return {
        ...base,
        kind: "task",
        taskType: agent === undefined ? "tool" : "agent",
        taskName: toWord(tool ?? agent ?? id),
        ...options,
        retry: { ...TEST_RETRY, ...(retry as Partial<RetryPolicy> | undefined) },
      };
    }
    case "set":
    case "transform":
    case "log":
    case "emit":
    case "fail":
    case "wait":
      return { ...base, kind: "action", action: kind, ...(kind === "log" && { level: "info" }), ...own } as PlanNode;
    case "switch":
      return { ...base, kind: "switch", condition: toWord(own.on), ...parseCases(rest, resolve) };
    case "parallel":
      return { ...base, kind: "parallel", branches: resolve(own.branches), waitAll: own.race !== true };
    case "merge":
    case "collect": {
      const sources = own.sources === undefined ? base.dependencies : resolve(own.sources);
      return {
        ...base,
        kind: "aggregation",
        strategy: kind,
        sources,
        ...(own.inputs !== undefined && { inputs: own.inputs }),
      };
    }
    case "child": {
      const { workflow, ...options } = own;
      return { ...base, kind: "sub_workflow", workflowId: toWord(workflow), ...options };
    }
    case "machine": {
      const { workflow, events, ...options } = own;
      const list = (events ?? []) as { event: string; data?: Json }[];
      return { ...base, kind: "state_machine", workflowId: toWord(workflow), events: list, ...options };
    }
    default:
      throw new Error(`node ${id} is of the unknown kind ${kind}`);
  }
}

function parseCases(texts: string[], resolve: Resolve): { cases: SwitchCase[]; defaultTargets: number[] } {
  const cases: SwitchCase[] = [];
  let defaultTargets: number[] = [];
  for (const text of texts) {
    const [match, targets] = text.split("=>") as [string, string];
    if (match === "else") defaultTargets = resolve(targets);
    else if (match.startsWith("{"))
      cases.push({ match: { expression: match.slice(1, -1) }, targets: resolve(targets) });
    else cases.push({ match, targets: resolve(targets) });
  }
  return { cases, defaultTargets };
}

function splitList(list: Json | undefined): string[] {
  return list === undefined || list === "" ? [] : toWord(list).split(",");
}
