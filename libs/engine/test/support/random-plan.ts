import type {
  Compensation,
  Dependence,
  ErrorHandler,
  Outcome,
  ParentClosePolicy,
  PlanDocument,
  PlanNode,
  PlanNodeBase,
  UpdateDefinition,
  WorkflowErrorHandler,
} from "../../src/index.ts";
import { breakCycles } from "./break-cycles.ts";
import { TEST_RETRY, linkActivators } from "./plan-text.ts";
import type { Random } from "./random.ts";
import { makeHuman, makeRetry, makeWait } from "./random-fields.ts";

const KINDS = [
  "task",
  "task",
  "task",
  "set",
  "attributes",
  "transform",
  "log",
  "emit",
  "wait",
  "switch",
  "parallel",
  "aggregation",
  "child",
  "map",
  "human",
  "machine",
] as const;

/**
 * A plan of every kind of node, that some order can run: what the validation of definitions lets through. Most plans are
 * calm, with little that can fail, because large ones would hardly ever come to their end otherwise.
 */
export function makeRandomPlan(random: Random, size: number): PlanDocument {
  const nodes: PlanNode[] = [];
  const isCalm = random.chance(0.7);
  const isSaga = random.chance(0.4);
  makeBody(random, nodes, { size, isCalm, depth: 0, isInLoop: false });
  if (isSaga) addCompensations(random, nodes);
  const onError = random.chance(0.3) ? addHandlers(random, nodes, isCalm) : undefined;
  if (random.chance(0.25)) addFinally(random, nodes, isCalm);
  breakCycles(nodes);
  linkActivators(nodes);
  return {
    format: "heddle.plan/1",
    workflowId: "test",
    type: "dag",
    nodes,
    ...(onError && { onError }),
    ...(random.chance(0.6) && { updates: makeUpdates(random, nodes) }),
    ...(isSaga && { compensation: { onCancel: random.chance(0.8), onFailure: random.pick(["fail", "continue"]) } }),
    ...(random.chance(0.2) && { cleanupTimeoutMs: 1 + random.below(4_000) }),
    ...(!isCalm && random.chance(0.2) && { timeoutMs: 20_000 }),
    ...(random.chance(0.3) && { output: { vars: "${vars}", status: "${nodes['n0'].status}" } }),
  };
}

/** Updates that set, signal and wait for nodes, and now and then are refused or cannot be answered. */
function makeUpdates(random: Random, nodes: PlanNode[]): UpdateDefinition[] {
  const isInLoop = (node: PlanNode): boolean => {
    const around = node.container === undefined ? undefined : nodes[node.container];
    return around !== undefined && (around.kind === "loop" || isInLoop(around));
  };
  const outside = [...nodes.keys()].filter((index) => !isInLoop(nodes[index] as PlanNode));
  return [
    { name: "note", set: { last: "${update.payload}" }, reply: "${vars.last}" },
    { name: "push", signal: "go", ...(random.chance(0.5) && { key: "x" }), when: "update.payload != 3" },
    { name: "await", after: random.pick(outside), ...(random.chance(0.5) && { reply: { status: "${execution.id}" } }) },
    { name: "faulty", set: { v0: 1 }, reply: "${nope}" },
  ];
}

/** Every kind of node may have something that undoes it. */
function addCompensations(random: Random, nodes: PlanNode[]): void {
  for (const node of nodes) {
    if (node.kind === "group" || node.kind === "loop" || random.chance(0.5)) continue;
    const retry = { ...TEST_RETRY, maxAttempts: 1 + random.below(3), jitter: random.next() };
    node.compensate = random.pick<Compensation>([
      { kind: "task", taskType: "tool", taskName: "undo", retry },
      { kind: "task", taskType: "tool", taskName: "undo", inputs: { of: node.id, was: "${current}" }, retry },
      { kind: "sub_workflow", workflowId: "undo", inputs: { was: "${current}" } },
      { kind: "action", action: "log", level: "info", message: `undone ${node.id}` },
      {
        kind: "action",
        action: "emit",
        event: "undone",
        key: "${execution.id}",
        payload: random.chance(0.1) ? "${nope}" : "${current}",
      },
    ]);
  }
}

function addFinally(random: Random, nodes: PlanNode[], isCalm: boolean): void {
  const index = nodes.length;
  const base = { dependencies: [], activators: [], join: "all" as const };
  nodes.push({ ...base, id: "last", kind: "group", body: [], isFinally: true });
  makeBody(random, nodes, { size: 1 + random.below(4), isCalm, depth: MAX_DEPTH, isInLoop: false, container: index });
}

/** What the workflow says of its failure, with the nodes that run then: a group, and one that is nothing else. */
function addHandlers(random: Random, nodes: PlanNode[], isCalm: boolean): WorkflowErrorHandler[] {
  const base = { dependencies: [], activators: [], join: "all" as const };
  const group = nodes.length;
  nodes.push({ ...base, id: "rescue", kind: "group", body: [] });
  makeBody(random, nodes, { size: 1 + random.below(4), isCalm, depth: MAX_DEPTH, isInLoop: false, container: group });
  const single = nodes.length;
  nodes.push({
    ...base,
    ...(random.chance(0.3) && { when: "execution.error.type != 'bad'" }),
    ...(random.chance(0.3) && { onError: [{ action: random.pick(["skip", "incident"]) }] }),
    id: "instead",
    kind: "sub_workflow",
    workflowId: "other",
    inputs: { why: "${execution.error.message}" },
  });
  return [
    { types: ["timeout"], action: "fallback", target: group },
    { types: ["http_error"], action: "continue", value: { instead: random.chance(0.1) ? "${nope}" : "${error.node}" } },
    { types: ["declined"], action: "fail", failure: { type: "other", message: "${error.message}", details: [1] } },
    { when: "error.type == 'expression'", action: "fail" },
    { action: "fallback", target: single },
  ];
}

interface BodyOptions {
  /** Nodes in it, with those of the bodies inside. */
  size: number;
  isCalm: boolean;
  depth: number;
  isInLoop: boolean;
  container?: number;
}

const MAX_DEPTH = 3;

/** Appends the nodes of a body. Those of a container follow it, as in a document. */
function makeBody(random: Random, nodes: PlanNode[], options: BodyOptions): void {
  const { size, isCalm, depth, isInLoop, container } = options;
  const own: number[] = [];
  const races = new Set<number>();
  const end = nodes.length + size;
  while (nodes.length < end) {
    const index = nodes.length;
    const maps = new Set(own.filter((one) => nodes[one]?.kind === "map"));
    const place = { index, earlier: [...own], maps, isCalm, isInLoop, ...(container !== undefined && { container }) };
    own.push(index);
    const left = end - index - 1;
    if (left >= RACE_SIZE && random.chance(0.08)) {
      const others = nodes.push(...makeRace(random, place)) - RACE_SIZE;
      for (let at = others; at < nodes.length; at++) own.push(at);
      for (let at = index; at < nodes.length; at++) races.add(at);
    } else if (depth < MAX_DEPTH && left > 0 && random.chance(0.12)) {
      const isLoop = random.chance(0.6);
      nodes.push(makeContainer(random, place, isLoop));
      const inner = { size: 1 + random.below(Math.min(left, 6)), isCalm, depth: depth + 1, container: index };
      makeBody(random, nodes, { ...inner, isInLoop: isInLoop || isLoop });
    } else {
      nodes.push(makeNode(random, place));
    }
  }
  // A fallback is nothing else: neither a branch nor a target.
  const others = own.filter((index) => !races.has(index));
  const fallbacks = others.filter((index) => index > (own[0] as number) && random.chance(0.1));
  const branches = new Set<number>();
  for (const index of others) {
    const later = others.filter((other) => other > index);
    const node = nodes[index] as PlanNode;
    const free = later.filter((other) => !fallbacks.includes(other));
    // A branch is one of one parallel.
    const targets = node.kind === "parallel" ? free.filter((other) => !branches.has(other)) : free;
    addTargets(
      random,
      node,
      targets,
      later.filter((other) => fallbacks.includes(other)),
    );
    if (node.kind === "parallel") for (const branch of node.branches) branches.add(branch);
  }
  const owner = container === undefined ? undefined : nodes[container];
  if (owner?.kind === "group" || owner?.kind === "loop") owner.body = own;
}

/** Nodes of a race beside the parallel itself. */
const RACE_SIZE = 4;

/** A parallel that stops its branches, for which others run that have failed: by chance alone these hardly ever meet. */
function makeRace(random: Random, place: Place): PlanNode[] {
  const { index, container } = place;
  const [first, second, inner, standIn] = [1, 2, 3, RACE_SIZE].map((at) => index + at) as [
    number,
    number,
    number,
    number,
  ];
  const isNested = random.chance(0.3);
  const makeCommon = () => ({
    dependencies: [],
    activators: [],
    join: "all" as const,
    ...(container !== undefined && { container }),
  });
  const makeTask = (at: number, onError: ErrorHandler[]): PlanNode => ({
    ...makeCommon(),
    id: `n${at}`,
    kind: "task",
    taskType: "tool",
    taskName: "work",
    inputs: { flow: "${current}", who: `n${at}` },
    retry: { ...TEST_RETRY, maxAttempts: 1 },
    onError,
  });
  const instead: ErrorHandler[] = [{ action: "fallback", target: standIn }];
  return [
    {
      ...makeBase(random, place),
      kind: "parallel",
      branches: isNested ? [first, second] : [first, second, inner],
      ...random.pick([
        { waitAll: false, cancelRest: true },
        { waitAll: true, onError: [{ action: "skip" as const }] },
      ]),
    },
    makeTask(first, instead),
    isNested
      ? { ...makeCommon(), id: `n${second}`, kind: "parallel", branches: [inner], waitAll: true }
      : makeTask(second, random.pick([instead, [{ action: "fail" }]])),
    makeTask(inner, random.pick([instead, [{ action: "fail" }]])),
    random.chance(0.5)
      ? makeTask(standIn, [{ action: "fail" }])
      : { ...makeCommon(), id: `n${standIn}`, kind: "sub_workflow", workflowId: "other", inputs: {} },
  ];
}

/** What it activates, and who takes its place. */
function addTargets(random: Random, node: PlanNode, later: number[], standIns: number[]): void {
  const pick = () => pickOf(random, later, 1 + random.below(3));
  if (node.kind === "switch") {
    for (const one of node.cases) one.targets = pick();
    node.defaultTargets = pick();
  }
  if (node.kind === "parallel") {
    node.branches = pick();
    if (node.need !== undefined) node.need = Math.max(1, Math.min(node.need, node.branches.length));
    node.waitAll ||= node.branches.length === 0;
  }
  const [target] = pickOf(random, standIns, 1);
  if (target !== undefined && random.chance(0.4)) {
    node.onError = random.pick<ErrorHandler[]>([
      [{ action: "fallback", target }],
      // For some failures only; of others a person decides.
      [{ types: ["timeout", "http_error", "expression"], action: "fallback", target }, { action: "incident" }],
    ]);
  } else if (random.chance(0.2)) {
    node.onError = random.pick<ErrorHandler[]>([
      [{ action: "skip" }],
      [{ action: "continue", value: { instead: "${error.type}" } }],
      [
        { types: ["bad"], action: "skip" },
        { when: "error.type == 'timeout'", action: "continue", value: 1 },
      ],
      [{ action: "fail" }],
      [{ action: "incident" }],
    ]);
  }
  // What a node says of errors is also for a condition that cannot be evaluated: of a parallel, before it has released its branches.
  if (node.onError !== undefined && random.chance(node.kind === "parallel" ? 0.4 : 0.05)) node.when = "nope";
}

interface Place {
  index: number;
  /** Nodes of the same body that it may depend on. */
  earlier: number[];
  /** Those of them that are maps. */
  maps: ReadonlySet<number>;
  isCalm: boolean;
  isInLoop: boolean;
  container?: number;
}

function makeBase(random: Random, { index, earlier, maps, container }: Place) {
  const dependencies = pickOf(random, earlier, random.below(4));
  return {
    id: `n${index}`,
    dependencies,
    activators: [],
    ...(container !== undefined && { container }),
    ...(dependencies.length > 0 && random.chance(0.15) && { depends: makeDependence(random, dependencies, maps) }),
    join: random.chance(0.6) ? ("any" as const) : ("all" as const),
    ...(random.chance(0.07) && { when: makeCondition(random, dependencies) }),
  };
}

/** Every node that is named is named in `dependencies`, and the other way round. */
function makeDependence(random: Random, dependencies: number[], maps: ReadonlySet<number>): Dependence {
  const parts = dependencies.map((node): Dependence => {
    const outcomes: Outcome[] = ["succeeded", "succeeded", "failed", "skipped", "settled"];
    if (maps.has(node)) outcomes.push("any_succeeded", "any_succeeded", "all_failed");
    const atom = { node, outcome: random.pick(outcomes) };
    return random.chance(0.2) ? { not: atom } : atom;
  });
  return random.chance(0.5) ? { any: parts } : { all: parts };
}

function makeContainer(random: Random, place: Place, isLoop: boolean): PlanNode {
  const base = { ...makeBase(random, place), body: [], ...(random.chance(0.1) && { timeoutMs: 3_000 }) };
  if (!isLoop) return { ...base, kind: "group" };
  const { index } = place;
  const common = { ...base, kind: "loop" as const, maxTurns: 4, collect: random.chance(0.5) };
  return random.pick([
    { ...common, forEach: random.pick(["${[1, 2, 3]}", "${[]}", "${['a']}"]), itemName: `item${index}` },
    { ...common, while: "loop.index < input.n" },
    { ...common, until: "loop.index >= 1", carry: { at: 0 }, next: { at: "${loop.index}" } },
    { ...common, until: "loop.index >= 1", result: { of: base.id }, output: { last: "${loop.result}" } },
  ]);
}

function makeNode(random: Random, place: Place): PlanNode {
  const { index, isCalm, isInLoop } = place;
  const base = makeBase(random, place);
  const { dependencies } = base;
  const kind = random.pick(KINDS);
  if (isInLoop && random.chance(0.05)) {
    return { ...base, kind: "action", action: "break", ...(random.chance(0.5) && { value: { by: base.id } }) };
  }
  switch (kind) {
    case "task":
      return {
        ...base,
        kind: "task",
        taskType: random.pick(["tool", "agent"]),
        taskName: "work",
        inputs: { flow: "${current}", who: base.id },
        retry: makeRetry(random),
        ...(random.chance(0.1) && { totalTimeoutMs: 500 + random.below(4_000) }),
        ...(random.chance(0.1) && { queueTimeoutMs: 1_000 }),
      };
    case "set":
      return { ...base, kind: "action", action: "set", params: { [`v${random.below(3)}`]: index, last: base.id } };
    case "attributes": {
      const params = { [`a${random.below(3)}`]: random.pick([base.id, index, null, ["x", "y"]]) };
      return { ...base, kind: "action", action: "set_attributes", params };
    }
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
          { match: random.below(4), targets: [] },
          { match: { expression: "input.flag" }, targets: [] },
        ],
        defaultTargets: [],
      };
    case "parallel":
      return {
        ...base,
        kind: "parallel",
        branches: [],
        waitAll: random.chance(isCalm ? 0.95 : 0.5),
        ...(random.chance(0.5) && { need: 1 + random.below(2) }),
        ...(random.chance(0.5) && { cancelRest: true }),
      };
    case "aggregation":
      return { ...base, kind: "aggregation", strategy: "collect", sources: dependencies, join: "any" };
    case "human":
      return { ...base, ...makeHuman(random, isCalm) };
    case "child":
      return { ...base, kind: "sub_workflow", workflowId: "other", inputs: { n: "${input.n}" }, ...makeClose(random) };
    case "map":
      return makeMap(random, base, isCalm);
    case "machine":
      return { ...base, kind: "state_machine", workflowId: "machine", context: { by: base.id }, events: [] };
  }
}

function makeMap(random: Random, base: PlanNodeBase, isCalm: boolean): PlanNode {
  return {
    ...base,
    kind: "map",
    workflowId: "item",
    items: random.pick<Extract<PlanNode, { kind: "map" }>["items"]>([
      ["a", "b", "c"],
      "${[]}",
      { range: { from: 1, to: "${input.n}" } },
      { range: { from: 0, to: 6 } },
    ]),
    maxConcurrency: 1 + random.below(3),
    ...(random.chance(0.3) && { collect: false }),
    ...(random.chance(0.5) && { inputs: { it: "${item}", at: "${index}", flow: "${current}" } }),
    ...(random.chance(0.3) && {
      captures: [
        { name: "input", paths: [["n"]] },
        { name: "vars", paths: [[]] },
      ],
    }),
    ...(random.chance(isCalm ? 0.9 : 0.5) && { tolerated: random.pick([{ count: 1 }, { percent: 50 }]) }),
    ...(random.chance(0.3) && { until: "items.succeeded >= 2" }),
    ...makeClose(random),
  };
}

function makeClose(random: Random): { onParentClose?: ParentClosePolicy } {
  return random.chance(0.4) ? { onParentClose: random.pick(["cancel", "terminate", "leave", "leave"]) } : {};
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

/** Up to `count` different ones, ascending; the last are likelier, so that long paths come about. */
function pickOf(random: Random, from: readonly number[], count: number): number[] {
  const limit = from.length;
  if (limit === 0) return [];
  const picked = new Set<number>();
  for (let i = 0; i < count; i++)
    picked.add(random.chance(0.7) ? limit - 1 - random.below(Math.min(limit, 6)) : random.below(limit));
  return [...picked].toSorted((a, b) => a - b).map((at) => from[at] as number);
}
