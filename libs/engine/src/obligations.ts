import type { Event } from "./events.ts";
import type { ExecutionState } from "./execution-state.ts";
import type { Json, JsonObject } from "./json.ts";
import type { LinkedNode, Plan } from "./plan.ts";
import type { SubWorkflowNode, TaskNode } from "./plan-document.ts";
import type { NodeState } from "./state.ts";

/** An attempt that a worker must get. */
export interface TaskObligation {
  nodeId: string;
  attempt: number;
  taskType: "tool" | "agent";
  taskName: string;
  input: Json;
  agent?: JsonObject;
  timeoutMs?: number;
  heartbeatTimeoutMs?: number;
  /** 0 (first) to 9 (last). */
  priority: number;
  /** The same whenever the attempt is delivered again, another one for the next attempt. */
  idempotencyKey: string;
}

/** An execution that must have been started. */
export interface ChildObligation {
  nodeId: string;
  childId: string;
  workflowId: string;
  /** Absent: the version that is active when the child starts. */
  version?: number;
  input: JsonObject;
  /** 0 (first) to 9 (last): the parent's. */
  priority: number;
  /** Sub-workflows above the child, from 1. */
  depth: number;
}

export interface TaskCancellation {
  nodeId: string;
  attempt: number;
}

export interface ChildCancellation {
  nodeId: string;
  childId: string;
}

/** What must be true outside, as it follows from a state. */
export interface Obligations {
  tasks: TaskObligation[];
  children: ChildObligation[];
  /** Children that must end. They may have been told before, or never have been started: repeat it until they are known to be gone. */
  cancelChildren: ChildCancellation[];
}

/** What a turn adds to the obligations and takes from them. What ended by the turn's own command is not listed: its sender knows. */
export interface ObligationChanges {
  startTasks: TaskObligation[];
  cancelTasks: TaskCancellation[];
  startChildren: ChildObligation[];
  cancelChildren: ChildCancellation[];
}

/** Everything, for recovery. Looks at all nodes. */
export function obligations(plan: Plan, state: ExecutionState, executionId: string): Obligations {
  const result: Obligations = { tasks: [], children: [], cancelChildren: [] };
  for (const linked of plan.nodes) {
    const node = state.nodes[linked.index] as NodeState;
    if (node.status === "scheduled") {
      result.tasks.push(describeTask(linked, state, executionId));
    } else if (node.childId !== undefined && node.status === "waiting") {
      result.children.push(describeChild(linked, state));
    } else if (node.childId !== undefined && node.status === "canceled") {
      result.cancelChildren.push({ nodeId: linked.id, childId: node.childId });
    }
  }
  return result;
}

/**
 * What the events of one turn change. `state` is the one after the turn, or a later one: what has ended since does not
 * begin (a fan-out whose last input cannot be evaluated never leaves the engine), and a cancellation may then name an
 * attempt or child that was never handed out.
 */
export function obligationsOf(
  plan: Plan,
  state: ExecutionState,
  events: readonly Event[],
  executionId: string,
): ObligationChanges {
  const changes: ObligationChanges = { startTasks: [], cancelTasks: [], startChildren: [], cancelChildren: [] };
  const begun = new Set<number>();
  for (const event of events) {
    if (event.type !== "task_scheduled" && event.type !== "child_started" && event.type !== "node_canceled") continue;
    const linked = plan.nodes[plan.indices.get(event.nodeId) as number] as LinkedNode;
    const node = state.nodes[linked.index] as NodeState;
    if (event.type === "node_canceled") {
      if (!begun.has(linked.index)) addCancellation(changes, linked, node);
      continue;
    }
    begun.add(linked.index);
    if (event.type === "task_scheduled" && node.status === "scheduled" && node.attempt === event.attempt) {
      changes.startTasks.push(describeTask(linked, state, executionId));
    } else if (event.type === "child_started" && node.status === "waiting") {
      changes.startChildren.push(describeChild(linked, state));
    }
  }
  return changes;
}

function addCancellation(changes: ObligationChanges, linked: LinkedNode, node: NodeState): void {
  if (node.childId !== undefined) {
    changes.cancelChildren.push({ nodeId: linked.id, childId: node.childId });
  } else if (linked.definition.kind === "task" && node.dueAt === undefined) {
    changes.cancelTasks.push({ nodeId: linked.id, attempt: node.attempt });
  }
}

function describeTask(linked: LinkedNode, state: ExecutionState, executionId: string): TaskObligation {
  const definition = linked.definition as TaskNode;
  const node = state.nodes[linked.index] as NodeState;
  return {
    nodeId: linked.id,
    attempt: node.attempt,
    taskType: definition.taskType,
    taskName: definition.taskName,
    input: node.input as Json,
    agent: definition.agent,
    timeoutMs: definition.timeoutMs,
    heartbeatTimeoutMs: definition.heartbeatTimeoutMs,
    priority: definition.priority ?? state.priority,
    idempotencyKey: `${executionId}/${linked.id}/${node.attempt}`,
  };
}

function describeChild(linked: LinkedNode, state: ExecutionState): ChildObligation {
  const definition = linked.definition as SubWorkflowNode;
  const node = state.nodes[linked.index] as NodeState;
  return {
    nodeId: linked.id,
    childId: node.childId as string,
    workflowId: definition.workflowId,
    version: definition.version,
    input: node.input as JsonObject,
    priority: state.priority,
    depth: (state.depth ?? 0) + 1,
  };
}
