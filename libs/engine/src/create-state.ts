import type { ExecutionState } from "./execution-state.ts";
import type { Plan } from "./plan.ts";
import type { ExecutionHeader, NodeState } from "./state.ts";

/** The state right after the start: nothing has run, the roots are ready. */
export function createState(plan: Plan, header: ExecutionHeader): ExecutionState {
  // What undoes steps is there only when it must be: see ending-state.ts.
  const count = plan.document.nodes.length;
  const nodes: NodeState[] = [];
  for (let i = 0; i < count; i++) nodes.push({ status: "pending", attempt: 0 });
  return {
    ...header,
    status: "running",
    updatedAt: header.startedAt,
    deadlineAt: plan.document.timeoutMs === undefined ? undefined : header.startedAt + plan.document.timeoutMs,
    nodes,
    counts: {
      pending: count,
      scheduled: 0,
      backing_off: 0,
      waiting: 0,
      completed: 0,
      failed: 0,
      skipped: 0,
      canceled: 0,
    },
    openNodes: plan.body.size,
    unsettled: plan.prerequisiteCounts.slice(0, count),
    ready: plan.body.roots.slice(),
    readyHead: 0,
    timers: [],
    vars: {},
    signals: [],
    signalWaiters: [],
    requestIds: [],
    payloadBytes: 0,
  };
}
