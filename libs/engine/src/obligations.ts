import { type Cancellations, type ChildCancellation, createCancellations } from "./child-cancellations.ts";
import { type AbandonedIndex, indexAbandoned } from "./abandoned.ts";
import type { Event, MachineInput } from "./events.ts";
import type { ExecutionState } from "./execution-state.ts";
import type { Json, JsonObject } from "./json.ts";
import type { LinkedNode, Plan } from "./plan.ts";
import type { MapNode, ParentClosePolicy, StateMachineNode, SubWorkflowNode, TaskNode } from "./plan-node.ts";
import type { ActiveItem, NodeState } from "./state.ts";
import { itemVersion } from "./surroundings.ts";

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
  queueTimeoutMs?: number;
  progressTimeoutMs?: number;
  /** When the attempt was scheduled, for tasks whose time in the queue is limited. */
  scheduledAt?: number;
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
  /** The child undoes the steps of this execution, whose version it runs, and does nothing else. */
  compensates?: string;
  /** `complete_child` is to follow the start, with `{ execution_id }`: the child is nobody's. */
  detached?: true;
  /** What becomes of it when its parent does not wait for it any more. Absent: it is canceled. */
  onParentClose?: ParentClosePolicy;
}

/** A state machine that must have been created, and must have got its events. `acknowledge_machine` says that it has. */
export interface MachineObligation extends MachineInput {
  nodeId: string;
  /** Its creation's idempotency key: `<execution id>/<node id>`. */
  requestId: string;
  workflowId: string;
  /** Absent: the version that is active when the machine is created. */
  version?: number;
}

/** A state machine that must be gone. Without an id it may never have been created; whoever sent its creation knows. */
export type MachineCancellation =
  | (Omit<MachineObligation, keyof MachineInput> & { machineId: string })
  | (MachineObligation & { machineId?: undefined });

export interface TaskCancellation {
  nodeId: string;
  attempt: number;
}

/** What must be true outside, as it follows from a state. */
export interface Obligations {
  tasks: TaskObligation[];
  children: ChildObligation[];
  /** Children that must end. They may have been told before, or never have been started: repeat it until they are known to be gone. */
  cancelChildren: ChildCancellation[];
  machines: MachineObligation[];
  /** As `cancelChildren`. */
  cancelMachines: MachineCancellation[];
}

/** What a turn adds to the obligations and takes from them. What ended by the turn's own command is not listed: its sender knows. */
export interface ObligationChanges {
  startTasks: TaskObligation[];
  cancelTasks: TaskCancellation[];
  startChildren: ChildObligation[];
  cancelChildren: ChildCancellation[];
  startMachines: MachineObligation[];
  cancelMachines: MachineCancellation[];
}

/** Everything, for recovery. Looks at all nodes. */
export function obligations(plan: Plan, state: ExecutionState, executionId: string): Obligations {
  const result: Obligations = { tasks: [], children: [], cancelChildren: [], machines: [], cancelMachines: [] };
  const cancellations = createCancellations(result.cancelChildren, plan, state);
  for (const linked of plan.nodes) {
    const node = state.nodes[linked.index];
    // What undoes steps is not there yet.
    if (node === undefined) break;
    // What it had outside has failed, and another node runs in its place; or it belongs to another execution.
    if (node.fallback !== undefined || node.isReused) continue;
    if (node.status === "scheduled") {
      result.tasks.push(describeTask(linked, state, executionId));
    } else if (linked.definition.kind === "map") {
      if (node.status === "waiting")
        for (const item of node.map?.active ?? []) result.children.push(describeItem(linked, state, item));
    } else if (linked.definition.kind === "state_machine") {
      if (node.status === "waiting" && node.machineId === undefined) {
        result.machines.push(describeMachine(linked, node, executionId));
      } else if (node.status === "canceled") {
        result.cancelMachines.push(describeCanceledMachine(linked, node, executionId));
      }
    } else if (node.childId !== undefined && node.status === "waiting") {
      result.children.push(describeChild(linked, state));
    } else if (node.childId !== undefined && node.status === "canceled") {
      cancellations.add(linked, linked.id, node.childId);
    }
  }
  for (const past of state.abandoned ?? []) {
    const linked = plan.nodes[past.node] as LinkedNode;
    if (past.childId !== undefined) {
      const nodeId = past.itemIndex === undefined ? linked.id : itemNodeId(linked.id, past.itemIndex);
      cancellations.add(linked, nodeId, past.childId);
    } else result.cancelMachines.push(describeCanceledMachine(linked, past, executionId));
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
  const changes: ObligationChanges = {
    startTasks: [],
    cancelTasks: [],
    startChildren: [],
    cancelChildren: [],
    startMachines: [],
    cancelMachines: [],
  };
  const begun = new Set<number>();
  const begunItems = new Map<string, ChildObligation>();
  const withdrawn = new Set<ChildObligation>();
  const findAbandoned = createFinder(state, events);
  const cancellations = createCancellations(changes.cancelChildren, plan, state);
  for (const event of events) {
    if (!isOfObligation(event)) continue;
    const linked = plan.nodes[plan.indices.get(event.nodeId) as number] as LinkedNode;
    const node = state.nodes[linked.index] as NodeState;
    if (event.type === "item_started" || event.type === "item_ended") {
      changeItem(changes, linked, state, event, { begunItems, withdrawn, findAbandoned, cancellations });
      continue;
    }
    if (event.type === "task_failed") {
      // The others were reported: whoever did that knows.
      if (event.stopped && !begun.delete(linked.index))
        changes.cancelTasks.push({ nodeId: linked.id, attempt: event.attempt });
      continue;
    }
    if (event.type === "node_canceled") {
      if (!begun.delete(linked.index))
        addCancellation(changes, linked, state, event, { executionId, findAbandoned, cancellations });
      continue;
    }
    begun.add(linked.index);
    if (event.type === "task_scheduled" && node.status === "scheduled" && node.attempt === event.attempt) {
      changes.startTasks.push(describeTask(linked, state, executionId));
    } else if (event.type === "child_started" && node.status === "waiting" && node.childId === event.childId) {
      changes.startChildren.push(describeChild(linked, state));
    } else if (event.type === "machine_requested" && node.status === "waiting") {
      const machine = describeMachine(linked, node, executionId);
      // The node of a loop may have asked twice in a turn: the state is the one of the last time.
      const isKnown = changes.startMachines.some(({ requestId }) => requestId === machine.requestId);
      if (!isKnown) changes.startMachines.push(machine);
    }
  }
  if (withdrawn.size > 0) changes.startChildren = changes.startChildren.filter((child) => !withdrawn.has(child));
  if (events.some(({ type }) => type === "execution_ending")) {
    const { awaited = {} } = state.ending ?? {};
    changes.startChildren = changes.startChildren.filter(({ childId }) => awaited[childId] === undefined);
    cancellations.addAwaited();
  }
  if (state.isTerminated && events.length > 0) cancellations.addTerminated();
  return changes;
}

type ObligationEvent = Extract<
  Event,
  {
    type:
      | "task_scheduled"
      | "task_failed"
      | "child_started"
      | "machine_requested"
      | "node_canceled"
      | "item_started"
      | "item_ended";
  }
>;

function isOfObligation(event: Event): event is ObligationEvent {
  const { type } = event;
  return (
    type === "task_scheduled" ||
    type === "task_failed" ||
    type === "child_started" ||
    type === "machine_requested" ||
    type === "node_canceled" ||
    type === "item_started" ||
    type === "item_ended"
  );
}

/** Looks through what was abandoned once, and only for a turn that must find something there. */
function createFinder(state: ExecutionState, events: readonly Event[]): () => AbandonedIndex {
  let index: AbandonedIndex | undefined;
  return () =>
    (index ??= indexAbandoned(
      state,
      new Set(events.flatMap((event) => (event.type === "item_started" ? [event.childId] : []))),
    ));
}

interface ItemChanges {
  /** Items that the turn has started so far, by their names. */
  begunItems: Map<string, ChildObligation>;
  /** What was started and canceled in the same turn never leaves the engine. */
  withdrawn: Set<ChildObligation>;
  findAbandoned(): AbandonedIndex;
  cancellations: Cancellations;
}

function changeItem(
  changes: ObligationChanges,
  linked: LinkedNode,
  state: ExecutionState,
  event: Extract<Event, { type: "item_started" | "item_ended" }>,
  { begunItems, withdrawn, findAbandoned, cancellations }: ItemChanges,
): void {
  const nodeId = itemNodeId(linked.id, event.index);
  if (event.type === "item_started") {
    const { index, childId, input } = event;
    const child = describeItem(linked, state, { index, childId, input });
    begunItems.set(nodeId, child);
    changes.startChildren.push(child);
    return;
  }
  if (event.end.outcome !== "canceled") return;
  const started = begunItems.get(nodeId);
  if (started !== undefined) {
    withdrawn.add(started);
    begunItems.delete(nodeId);
    return;
  }
  const childId = findAbandoned().findItem(linked.index, event.index)?.childId;
  if (childId !== undefined) cancellations.add(linked, nodeId, childId);
}

/** How the item of a map is called where a node is named: as the parent of its execution. */
export function itemNodeId(nodeId: string, index: number): string {
  return `${nodeId}[${index}]`;
}

function describeItem(linked: LinkedNode, state: ExecutionState, item: ActiveItem): ChildObligation {
  const definition = linked.definition as MapNode;
  return {
    nodeId: itemNodeId(linked.id, item.index),
    childId: item.childId,
    workflowId: definition.workflowId,
    version: itemVersion(definition, state),
    input: item.input as JsonObject,
    priority: state.priority,
    depth: (state.depth ?? 0) + 1,
    ...(definition.onParentClose !== undefined && { onParentClose: definition.onParentClose }),
  };
}

/** What the node had when it was canceled: in a loop it may have begun afresh since. */
function addCancellation(
  changes: ObligationChanges,
  linked: LinkedNode,
  state: ExecutionState,
  event: Extract<Event, { type: "node_canceled" }>,
  {
    executionId,
    findAbandoned,
    cancellations,
  }: Pick<ItemChanges, "findAbandoned" | "cancellations"> & { executionId: string },
): void {
  if (event.attempt !== undefined) {
    changes.cancelTasks.push({ nodeId: linked.id, attempt: event.attempt });
    return;
  }
  const { restarts = 0 } = event;
  const node = state.nodes[linked.index] as NodeState;
  const isSame = restarts === (node.restarts ?? 0);
  // The items of a map are told one by one.
  const canceled = isSame ? node : findAbandoned().findNode(linked.index, restarts);
  if (canceled === undefined || ("fallback" in canceled && canceled.fallback !== undefined)) return;
  if (linked.definition.kind === "state_machine") {
    changes.cancelMachines.push(describeCanceledMachine(linked, canceled, executionId));
  } else if (canceled.childId !== undefined) {
    cancellations.add(linked, linked.id, canceled.childId);
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
    queueTimeoutMs: definition.queueTimeoutMs,
    progressTimeoutMs: definition.progressTimeoutMs,
    scheduledAt: node.scheduledAt,
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
    ...(node.compensates !== undefined && { compensates: node.compensates }),
    ...(definition.detached && { detached: true as const }),
    ...(definition.onParentClose !== undefined && { onParentClose: definition.onParentClose }),
  };
}

type MachineOf = Pick<NodeState, "input" | "machineId" | "restarts">;

function describeMachine(linked: LinkedNode, node: MachineOf, executionId: string): MachineObligation {
  // As `machine_requested` has put it there.
  return { ...(node.input as unknown as MachineInput), ...nameMachine(linked, node, executionId) };
}

/** With an id nothing else is needed, without one its creation is repeated to find it. */
function describeCanceledMachine(linked: LinkedNode, node: MachineOf, executionId: string): MachineCancellation {
  const { machineId } = node;
  if (machineId !== undefined) return { ...nameMachine(linked, node, executionId), machineId };
  return describeMachine(linked, node, executionId);
}

function nameMachine(linked: LinkedNode, node: MachineOf, executionId: string) {
  const { workflowId, version } = linked.definition as StateMachineNode;
  return {
    nodeId: linked.id,
    requestId: `${executionId}/${runName(linked.id, node)}`,
    workflowId,
    ...(version !== undefined && { version }),
  };
}

/** A node by its id and, in a loop, by how often it has begun afresh: what it starts outside is named by it. */
export function runName(nodeId: string, { restarts = 0 }: Pick<NodeState, "restarts">): string {
  return restarts === 0 ? nodeId : `${nodeId}/${restarts}`;
}
