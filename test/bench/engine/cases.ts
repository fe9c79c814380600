import type { ExecutionState, JsonObject, PlanDocument, PlanNode, RetryPolicy } from "@heddle/engine";

/** One shape of workflow, and what a finished execution of it must look like. */
export interface BenchCase {
  name: string;
  document: PlanDocument;
  /** Events of one execution from start to end. */
  eventsPerExecution: number;
  /** Says what is wrong with a finished execution. */
  findFault(state: ExecutionState): string | undefined;
}

/** About 200 bytes of JSON, as inputs and outputs of steps often are. */
export const PAYLOAD: JsonObject = {
  ticket: 48_151,
  customer: { name: "Ada Lovelace", plan: "premium", since: "2021-03-14" },
  subject: "The loom stops after the third thread",
  tags: ["hardware", "urgent"],
  score: 0.82,
  open: true,
};

const RETRY: RetryPolicy = {
  maxAttempts: 3,
  initialIntervalMs: 1_000,
  backoff: 2,
  maxIntervalMs: 60_000,
  jitter: 0.2,
  nonRetryable: [],
};

/** Dispatched steps, one after another: each reads what the one before it gave. */
export function makeChain(length: number): BenchCase {
  const nodes = repeat(length, (i) =>
    task(`step-${i}`, i > 0 ? [i - 1] : [], i > 0 ? `\${step-${i - 1}.output}` : "${input}"),
  );
  return makeCase(`chain of ${length} tasks`, nodes, 2 + 2 * length, `step-${length - 1}`);
}

/** One task, then `width` at once, then one aggregation of all. */
export function makeFanOut(width: number): BenchCase {
  const branches = repeat(width, (i) => task(`branch-${i}`, [0], "${first.output}"));
  const sources = repeat(width, (i) => i + 1);
  const join: PlanNode = {
    id: "join",
    kind: "aggregation",
    strategy: "collect",
    sources,
    dependencies: sources,
    activators: [],
    join: "any",
  };
  const nodes = [task("first", [], "${input}"), ...branches, join];
  return makeCase(`fan-out to ${width} tasks and back`, nodes, 2 + 2 + 2 * width + 1, "join");
}

/** Steps that need no worker: an execution is one turn. */
export function makePureChain(length: number): BenchCase {
  const nodes = repeat(length, (i): PlanNode => {
    const value = {
      from: i > 0 ? `\${step-${i - 1}.output.ticket}` : "${input.ticket}",
      ticket: 48_151,
      name: "${input.customer.name}",
    };
    return {
      id: `step-${i}`,
      kind: "action",
      action: "transform",
      value,
      dependencies: i > 0 ? [i - 1] : [],
      activators: [],
      join: "all",
    };
  });
  return makeCase(`chain of ${length} expressions`, nodes, 2 + length, `step-${length - 1}`);
}

function makeCase(name: string, nodes: PlanNode[], eventsPerExecution: number, lastId: string): BenchCase {
  return {
    name,
    document: { format: "heddle.plan/1", workflowId: "bench", type: "dag", nodes },
    eventsPerExecution,
    findFault(state) {
      if (state.status !== "completed") return `it is ${state.status}`;
      if (state.counts.completed !== nodes.length)
        return `${state.counts.completed} of ${nodes.length} nodes are completed`;
      const output = state.output as JsonObject;
      return Object.hasOwn(output, lastId) ? undefined : `its output lacks ${lastId}`;
    },
  };
}

function task(id: string, dependencies: number[], data: string): PlanNode {
  return {
    id,
    kind: "task",
    taskType: "tool",
    taskName: "work",
    inputs: { data, id },
    retry: RETRY,
    dependencies,
    activators: [],
    join: "all",
  };
}

function repeat<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index));
}
