import type {
  Compensation,
  Dependence,
  ErrorHandler,
  Json,
  Outcome,
  PlanDocument,
  PlanNode,
  RetryPolicy,
  SwitchCase,
} from "../../src/index.ts";
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
 * fields, of whose updates `after` is an id, as is the target of a fallback in `onError`. Common keys: after=a,b (dependencies), when, join. Activators follow from the switches and parallels.
 *
 * task: tool=name | agent=name, inputs, retry (changes to TEST_RETRY), timeoutMs, heartbeatTimeoutMs, priority
 * set, set_attributes, transform, log, emit, fail, wait: the fields of the action
 * switch: on=expression, <literal>=>targets and `{expression}=>targets` and else=>targets in order
 * parallel: branches=a,b; race=true for wait_all: false, need=2, cancelRest=true
 * group, loop: the nodes that say in=<id>; loop: forEach, while, until, carry, next, maxTurns, collect, result, output; break: value
 * any: compensate=tool, or compensate={kind, ...}
 * finally: the group that runs at the end; its nodes say in=<id>
 * map: items, workflow (default each), maxConcurrency (default 2), inputs, tolerated, until, itemName
 * any: error=<action> or error=[{types, when, action, value, target: id}], depends=(a.succeeded||b.skipped)&&!c.failed
 * merge, collect: inputs, sources (default: the dependencies)
 * child: workflow, version, inputs, detached; child, map: onParentClose
 * machine: workflow, version, key, context, events
 * human: title (default the id), description, assignee, groups, form, data, proposed, deadline, escalation, defaultAnswer, quorum
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
    if (words[0] === "workflow" && values.has("onError"))
      document.onError = parseHandlers(values.get("onError") as Json, (id) => [indexOf(toWord(id))]);
    for (const update of words[0] === "workflow" ? (document.updates ?? []) : []) {
      if (update.after !== undefined) update.after = indexOf(String(update.after));
    }
  }
  document.nodes = nodeLines.map((line) => parseNode(line, (list) => splitList(list).map(indexOf)));
  for (const [index, { container }] of document.nodes.entries()) {
    const owner = container === undefined ? undefined : document.nodes[container];
    if (owner?.kind === "group" || owner?.kind === "loop") owner.body.push(index);
  }
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
    const fallbacks = (node.onError ?? []).flatMap((one) => (one.action === "fallback" ? [one.target] : []));
    for (const target of new Set([...targets, ...fallbacks])) nodes[target]?.activators.push(index);
  }
}

type Resolve = (list: Json | undefined) => number[];

function parseNode({ words, values }: Words, resolve: Resolve): PlanNode {
  const [id, kind, ...rest] = words as [string, string, ...string[]];
  const fields = Object.fromEntries(values);
  const { after, join, when, in: container, depends, error, compensate, ...own } = fields;
  const condition = depends === undefined ? undefined : parseDependence(toWord(depends), resolve);
  const base = {
    id,
    ...(container !== undefined && { container: resolve(container)[0] as number }),
    ...(condition && { depends: condition }),
    ...(error !== undefined && { onError: parseHandlers(error, resolve) }),
    ...(compensate !== undefined && { compensate: parseCompensation(compensate) }),
    dependencies: [...new Set([...resolve(after), ...(condition ? namesOf(condition) : [])])].toSorted((a, b) => a - b),
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
    case "set_attributes":
    case "set":
    case "transform":
    case "log":
    case "emit":
    case "fail":
    case "break":
    case "wait":
      return { ...base, kind: "action", action: kind, ...(kind === "log" && { level: "info" }), ...own } as PlanNode;
    case "switch":
      return { ...base, kind: "switch", condition: toWord(own.on), ...parseCases(rest, resolve) };
    case "parallel":
      return {
        ...base,
        kind: "parallel",
        branches: resolve(own.branches),
        waitAll: own.race !== true && own.need === undefined && own.cancelRest === undefined,
        ...(own.need !== undefined && { need: Number(own.need) }),
        ...(own.cancelRest === true && { cancelRest: true }),
      };
    case "map": {
      const { workflow, ...options } = own;
      return { ...base, kind: "map", items: [], maxConcurrency: 2, workflowId: toWord(workflow ?? "each"), ...options };
    }
    case "group":
      return { ...base, kind: "group", body: [], ...own };
    case "finally":
      return { ...base, kind: "group", body: [], isFinally: true, ...own };
    case "loop":
      return { ...base, kind: "loop", body: [], maxTurns: 1_000, collect: false, ...own };
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
    case "human":
      return { ...base, kind: "human", title: id, ...own };
    case "machine": {
      const { workflow, events, ...options } = own;
      const list = (events ?? []) as { event: string; data?: Json }[];
      return { ...base, kind: "state_machine", workflowId: toWord(workflow), events: list, ...options };
    }
    default:
      throw new Error(`node ${id} is of the unknown kind ${kind}`);
  }
}

/** The name of a tool, which gets the step's output, or any compensation; a task's retry is changes to TEST_RETRY. */
function parseCompensation(value: Json): Compensation {
  const given = (typeof value === "object" ? value : { taskName: value }) as Partial<Compensation> & { retry?: object };
  if (given.kind !== undefined && given.kind !== "task") return given as Compensation;
  const retry = { ...TEST_RETRY, ...given.retry };
  return { taskType: "tool", taskName: "undo", ...given, kind: "task", retry };
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

/** `skip`, or a list of handlers; a fallback's target is an id. */
function parseHandlers<Handler = ErrorHandler>(value: Json, resolve: Resolve): Handler[] {
  const list = (Array.isArray(value) ? value : [{ action: value }]) as { action: string; target?: Json }[];
  return list.map((one) => (one.action === "fallback" ? { ...one, target: resolve(one.target)[0] } : one) as Handler);
}

/** `a.succeeded`, `!`, `&&`, `||` and parentheses. */
function parseDependence(text: string, resolve: Resolve): Dependence {
  const tokens = text.match(/\w+(?:-\w+)*\.\w+|\|\||&&|[!()]/g) ?? [];
  let at = 0;
  const parseAny = (): Dependence => {
    const parts = [parseAll()];
    while (tokens[at] === "||" && at++ >= 0) parts.push(parseAll());
    return parts.length === 1 ? (parts[0] as Dependence) : { any: parts };
  };
  const parseAll = (): Dependence => {
    const parts = [parseOne()];
    while (tokens[at] === "&&" && at++ >= 0) parts.push(parseOne());
    return parts.length === 1 ? (parts[0] as Dependence) : { all: parts };
  };
  const parseOne = (): Dependence => {
    const token = tokens[at++] as string;
    if (token === "!") return { not: parseOne() };
    if (token === "(") {
      const inner = parseAny();
      at++;
      return inner;
    }
    const [id, outcome] = token.split(".") as [string, Outcome];
    return { node: resolve(id)[0] as number, outcome };
  };
  return parseAny();
}

function namesOf(condition: Dependence): number[] {
  if ("node" in condition) return [condition.node];
  if ("not" in condition) return namesOf(condition.not);
  return ("all" in condition ? condition.all : condition.any).flatMap(namesOf);
}
