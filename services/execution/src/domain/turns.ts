import { type Event, findEventWait, type LinkedNode, listEventWaits, obligations, obligationsOf } from "@heddle/engine";
import type { CommittedTurn } from "@heddle/journal";
import type { Task } from "@heddle/proto/heddle/scheduler/v1/task_pb.js";
import type { OpenTasks } from "../link/open-tasks.ts";
import { taskIdOf, toTask } from "../link/task-messages.ts";
import type { Execution, ExecutionCommand } from "./aggregate.ts";
import type { Children } from "./children.ts";
import type { EventWaits } from "../events/event-waits.ts";
import type { Machines } from "./machines.ts";
import type { Hub, RequestIds } from "@heddle/journal-service";
import { requestScope, type WorkflowKeys } from "./workflow-keys.ts";

export interface TurnEffectsOptions {
  openTasks: OpenTasks;
  children: Children;
  machines: Machines;
  eventWaits: EventWaits;
  hub: Hub;
  requestIds: Pick<RequestIds, "add">;
  workflowKeys: Pick<WorkflowKeys, "add">;
  /** Sends what commits ask of the scheduler. */
  scheduler: { schedule(tasks: readonly Task[]): void; cancel(tasks: readonly Task[]): void };
  now(): number;
}

/** What must happen outside after a commit. Everything here is derived from committed state, so a crash forgets nothing. */
export interface TurnEffects {
  committed(turns: readonly CommittedTurn<Execution, ExecutionCommand, Event>[]): void;
  /** After recovery: everything that the executions of a partition ask for. The caller syncs the partition then. */
  recovered(partition: number, executions: Iterable<[id: string, execution: Execution]>): void;
}

export function createTurnEffects(options: TurnEffectsOptions): TurnEffects {
  const { openTasks, children, machines, eventWaits, hub, scheduler, requestIds, workflowKeys, now } = options;

  const remember = (id: string, { state }: Execution): void => {
    if (state.requestId !== "") requestIds.add(requestScope(state), state.requestId, id);
    if (state.workflowKey !== undefined) workflowKeys.add(state.namespace, state.workflowKey, id);
  };

  /** Of several with one business key all but the latest have ended. */
  const rememberAll = (executions: readonly [id: string, execution: Execution][]): void => {
    const rank = ({ state }: Execution): number => state.endedAt ?? Infinity;
    for (const [id, execution] of executions.toSorted(([, a], [, b]) => (rank(a) < rank(b) ? -1 : 1)))
      remember(id, execution);
  };

  return {
    committed(turns) {
      const started: Task[] = [];
      const canceled: Task[] = [];
      for (const turn of turns) {
        const { id, partition, state: execution, events } = turn;
        closeTasks(openTasks, turn);
        if (events[0]?.type === "execution_started") remember(id, execution);
        const changes = obligationsOf(execution.plan, execution.state, events, id);
        for (const { nodeId, attempt } of changes.cancelTasks) {
          const task = openTasks.remove(partition, taskIdOf(id, nodeId, attempt));
          if (task !== undefined) canceled.push(task);
        }
        for (const obligation of changes.startTasks) {
          const task = toTask(execution, obligation, now());
          openTasks.add(partition, task);
          started.push(task);
        }
        for (const child of changes.startChildren) children.start(id, child, turn.offset);
        for (const child of changes.cancelChildren) children.cancel(id, child);
        for (const machine of changes.startMachines) machines.create(id, machine);
        for (const machine of changes.cancelMachines) machines.cancel(id, execution.state.namespace, machine);
        followEvents(eventWaits, turn);
        if (execution.state.endedAt !== undefined) children.finished(id, execution);
        hub.notify(id);
      }
      if (started.length > 0) scheduler.schedule(started);
      if (canceled.length > 0) scheduler.cancel(canceled);
    },

    recovered(partition, live) {
      const executions = [...live];
      rememberAll(executions);
      for (const [id, execution] of executions) {
        const open = obligations(execution.plan, execution.state, id);
        for (const task of open.tasks) openTasks.add(partition, toTask(execution, task, now()));
        for (const child of open.children) children.start(id, child);
        for (const child of open.cancelChildren) children.cancel(id, child);
        for (const machine of open.machines) machines.create(id, machine);
        for (const machine of open.cancelMachines) {
          machines.cancel(id, execution.state.namespace, machine, { mayExist: true });
        }
        if (execution.plan.awaitsEvents) eventWaits.expect();
        for (const wait of listEventWaits(execution.plan, execution.state)) eventWaits.begin(id, execution, wait);
        // It may have ended just before the crash, with its parent still waiting.
        if (execution.state.endedAt !== undefined) children.finished(id, execution);
        else children.adopt(id, execution);
      }
    },
  };
}

/** What waits for events of others from now on, and what does not any more. */
function followEvents(
  eventWaits: EventWaits,
  { id, state: execution, events }: CommittedTurn<Execution, ExecutionCommand, Event>,
): void {
  const { plan, state } = execution;
  if (!plan.awaitsEvents) return;
  if (events[0]?.type === "execution_started") eventWaits.expect();
  if (state.endedAt !== undefined) return eventWaits.endAll(id);
  for (const event of events) {
    if (event.type === "wait_started") {
      const wait = event.event === undefined ? undefined : findEventWait(plan, state, event.nodeId);
      if (wait !== undefined) eventWaits.begin(id, execution, wait);
    } else if (endsNode(event)) {
      const linked = plan.nodes[plan.indices.get(event.nodeId) ?? -1];
      if (linked === undefined || !awaitsEvent(linked)) continue;
      const { event: awaited, restarts = 0 } = state.nodes[linked.index] ?? {};
      // The same turn may have begun the node afresh, and the wait that it has begun then must stay.
      const isOver = awaited !== undefined && findEventWait(plan, state, linked.id) === undefined;
      eventWaits.endBefore(id, { nodeId: linked.id, run: isOver ? restarts + 1 : restarts });
    }
  }
}

function awaitsEvent({ definition }: LinkedNode): boolean {
  return definition.kind === "action" && definition.action === "wait" && definition.event !== undefined;
}

function endsNode(event: Event): event is Extract<Event, { type: "node_completed" }> {
  const { type } = event;
  return type === "node_completed" || type === "node_failed" || type === "node_canceled" || type === "error_handled";
}

/** The scheduler has reported these attempts itself, so it need not be told that they are over. */
function closeTasks(openTasks: OpenTasks, turn: CommittedTurn<Execution, ExecutionCommand, Event>): void {
  for (const event of turn.events) {
    if (event.type === "task_completed" || (event.type === "task_failed" && event.stopped !== true)) {
      openTasks.remove(turn.partition, taskIdOf(turn.id, event.nodeId, event.attempt));
    }
  }
}
