import type { PlanDocument, PlanNode } from "../../src/index.ts";
import { TEST_RETRY, linkActivators } from "./plan-text.ts";
import type { Random } from "./random.ts";

const KINDS = [
  "task",
  "task",
  "task",
  "set",
  "transform",
  "log",
  "emit",
  "wait",
  "switch",
  "parallel",
  "aggregation",
  "child",
] as const;

/**
 * A plan of every kind of node, that some order can run: what the validation of definitions lets through. Most plans are
 * calm, with little that can fail, because large ones would hardly ever come to their end otherwise.
 */
export function makeRandomPlan(random: Random, size: number): PlanDocument {
  const nodes: PlanNode[] = [];
  const isCalm = random.chance(0.7);
  for (let index = 0; index < size; index++) nodes.push(makeNode(random, index, size, isCalm));
  breakCycles(nodes);
  linkActivators(nodes);
  return {
    format: "heddle.plan/1",
    workflowId: "test",
    type: "dag",
    nodes,
    ...(!isCalm && random.chance(0.2) && { timeoutMs: 20_000 }),
    ...(random.chance(0.3) && { output: { vars: "${vars}", status: "${nodes['n0'].status}" } }),
  };
}

function makeNode(random: Random, index: number, size: number, isCalm: boolean): PlanNode {
  const dependencies = pickBelow(random, index, random.below(4));
  const base = {
    id: `n${index}`,
    dependencies,
    activators: [],
    join: random.chance(0.6) ? ("any" as const) : ("all" as const),
    ...(random.chance(0.07) && { when: makeCondition(random, dependencies) }),
  };
  const later = () => pickBelow(random, size - index - 1, 1 + random.below(3)).map((offset) => index + 1 + offset);
  const kind = random.pick(KINDS);
  switch (kind) {
    case "task":
      return {
        ...base,
        kind: "task",
        taskType: random.pick(["tool", "agent"]),
        taskName: "work",
        inputs: { flow: "${current}", who: base.id },
        retry: { ...TEST_RETRY, maxAttempts: 1 + random.below(3), jitter: random.next() },
      };
    case "set":
      return { ...base, kind: "action", action: "set", params: { [`v${random.below(3)}`]: index, last: base.id } };
    case "transform":
      return {
        ...base,
        kind: "action",
        action: "transform",
        value: !isCalm && random.chance(0.02) ? "${nope}" : { from: base.id, list: [1, "${input.n}"] },
      };
    case "log":
      return { ...base, kind: "action", action: "log", level: "info", message: "at ${execution.id}" };
    case "emit":
      return { ...base, kind: "action", action: "emit", event: "passed", payload: { at: base.id } };
    case "wait":
      return { ...base, kind: "action", action: "wait", ...makeWait(random, isCalm) };
    case "switch":
      return {
        ...base,
        kind: "switch",
        condition: "input.n",
        cases: [
          { match: random.below(4), targets: later() },
          { match: { expression: "input.flag" }, targets: later() },
        ],
        defaultTargets: later(),
      };
    case "parallel":
      return { ...base, kind: "parallel", branches: later(), waitAll: random.chance(isCalm ? 0.95 : 0.5) };
    case "aggregation":
      return { ...base, kind: "aggregation", strategy: "collect", sources: dependencies, join: "any" };
    case "child":
      return { ...base, kind: "sub_workflow", workflowId: "other", inputs: { n: "${input.n}" } };
  }
}

function makeWait(random: Random, isCalm: boolean): { duration?: number; signal?: string } {
  const signal = random.pick(["go", "stop"]);
  const duration = random.below(5_000);
  return random.pick([{ duration }, { signal }, isCalm ? {} : { signal, duration: duration + 3_000 }]);
}

function makeCondition(random: Random, dependencies: number[]): string {
  const [first] = dependencies;
  return random.pick([
    "input.flag",
    "true",
    "false",
    first === undefined ? "input.n > 1" : `n${first}.status == 'completed'`,
  ]);
}

/** Up to `count` different numbers below `limit`, ascending; near ones are likelier, so that long paths come about. */
function pickBelow(random: Random, limit: number, count: number): number[] {
  if (limit <= 0) return [];
  const picked = new Set<number>();
  for (let i = 0; i < count; i++)
    picked.add(random.chance(0.7) ? limit - 1 - random.below(Math.min(limit, 6)) : random.below(limit));
  return [...picked].toSorted((a, b) => a - b);
}

/** A parallel ends after its branches: a branch that waits for its own parallel would wait for ever. */
function breakCycles(nodes: PlanNode[]): void {
  for (let stuck = findStuck(nodes); stuck.size > 0; stuck = findStuck(nodes)) {
    for (const node of nodes) {
      if (node.kind !== "parallel" || !node.branches.some((branch) => stuck.has(branch))) continue;
      node.branches = node.branches.filter((branch) => !stuck.has(branch));
      // A race without branches can only fail.
      node.waitAll ||= node.branches.length === 0;
      break;
    }
  }
}

/** Nodes that could not end even if everything went well. */
function findStuck(nodes: PlanNode[]): Set<number> {
  const activators: number[][] = nodes.map(() => []);
  for (const [index, node] of nodes.entries()) {
    const targets = node.kind === "parallel" ? node.branches : node.kind === "switch" ? targetsOf(node) : [];
    for (const target of targets) activators[target]?.push(index);
  }
  const begun = new Set<number>();
  const ended = new Set<number>();
  for (let before = -1; before !== begun.size + ended.size; ) {
    before = begun.size + ended.size;
    for (const [index, node] of nodes.entries()) {
      const isReleased = (by: number) => (nodes[by]?.kind === "parallel" ? begun.has(by) : ended.has(by));
      if (node.dependencies.every((one) => ended.has(one)) && activators[index]?.every(isReleased)) begun.add(index);
      if (begun.has(index) && (node.kind !== "parallel" || node.branches.every((one) => ended.has(one))))
        ended.add(index);
    }
  }
  return new Set(nodes.keys().filter((index) => !ended.has(index)));
}

function targetsOf(node: Extract<PlanNode, { kind: "switch" }>): number[] {
  return [...node.cases.flatMap((one) => one.targets), ...node.defaultTargets];
}
