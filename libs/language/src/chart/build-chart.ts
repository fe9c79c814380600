import type { PlanDocument } from "@heddle/engine";
import type { ChartDocument, ChartState } from "@heddle/statechart";
import type { ChartDraft, StateDraft } from "./draft.ts";
import type { ChartTree } from "./resolve.ts";

/** What the statemachine service runs, and the plans of the tools and agents that its states invoke. */
export type ChartPlan = ChartDocument & {
  /** One node each, by the id of the invocation. They run as executions of the workflow `<workflow id>.<invocation id>`. */
  invocationPlans?: Record<string, PlanDocument>;
};

/** The chart of a definition without errors. */
export function buildChart(chart: ChartDraft, tree: ChartTree): ChartPlan {
  const { id, name, description, labels, inputSchema, agents, binding, unexpectedEvents, output, states } = chart;
  const plans = states.flatMap((state) =>
    state.invocations.flatMap(({ invocation }) =>
      invocation.kind === "tool" || invocation.kind === "agent"
        ? [[invocation.id, planOf(id, invocation)] as const]
        : [],
    ),
  );
  return {
    format: "heddle.chart/1",
    workflowId: id,
    type: "state_machine",
    ...(name === undefined ? {} : { name }),
    ...(description === undefined ? {} : { description }),
    ...(labels === undefined ? {} : { labels }),
    ...(inputSchema === undefined ? {} : { inputSchema }),
    binding,
    unexpectedEvents,
    states: states.map((state) => buildState(state, tree)),
    ...(output === undefined ? {} : { output }),
    ...(agents.size === 0 ? {} : { agents: Object.fromEntries(agents) }),
    ...(plans.length === 0 ? {} : { invocationPlans: Object.fromEntries(plans) }),
  };
}

function buildState(state: StateDraft, tree: ChartTree): ChartState {
  const {
    id,
    kind,
    parent,
    history,
    initial,
    transitions,
    onEnter,
    onExit,
    data,
    invocations,
    subscriptions,
    doneData,
  } = state;
  const targets =
    kind === "compound" || kind === "history" ? tree.initialOf(state).map(({ index }) => index) : undefined;
  return {
    id,
    kind,
    parent,
    ...(targets === undefined ? {} : { initial: { targets, actions: initial?.actions ?? [] } }),
    ...(history === undefined ? {} : { history }),
    transitions: transitions.map(({ events, guard, targets: refs, internal, actions, delay, delayPolicy }) => ({
      events,
      ...(guard === undefined ? {} : { guard: guard.source }),
      targets: tree.find(refs).map(({ index }) => index),
      internal,
      actions,
      ...(delay === undefined ? {} : { delay }),
      ...(delayPolicy === undefined ? {} : { delayPolicy }),
    })),
    onEnter: onEnter.length === 0 ? [] : [onEnter],
    onExit: onExit.length === 0 ? [] : [onExit],
    ...(data === undefined ? {} : { data }),
    invocations: invocations.map(({ invocation }) => invocation),
    ...(subscriptions.length === 0 ? {} : { subscriptions: subscriptions.map(({ subscription }) => subscription) }),
    ...(doneData === undefined ? {} : { doneData }),
  };
}

type Invocation = ChartState["invocations"][number];

/** A tool or agent as a workflow of one step, so that it is retried, timed out and explained as any other. */
function planOf(workflowId: string, { id, kind, name, agent, timeoutMs, retry }: Invocation): PlanDocument {
  const node = `nodes[${JSON.stringify(id)}]`;
  return {
    format: "heddle.plan/1",
    workflowId: `${workflowId}.${id}`,
    type: "dag",
    nodes: [
      {
        id,
        kind: "task",
        taskType: kind === "agent" ? "agent" : "tool",
        taskName: name,
        dependencies: [],
        activators: [],
        join: "all",
        inputs: "${input}",
        ...(agent === undefined ? {} : { agent }),
        ...(timeoutMs === undefined ? {} : { timeoutMs }),
        retry: {
          maxAttempts: 3,
          initialIntervalMs: 1_000,
          backoff: 2,
          maxIntervalMs: 60_000,
          jitter: 0.2,
          nonRetryable: [],
          ...retry,
        },
      },
    ],
    output: `\${${node}.output}`,
  };
}
