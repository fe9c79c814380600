import {
  type Command as EngineCommand,
  decide,
  decodeState,
  type Event,
  encodeState,
  evolve,
  type ExecutionState,
  isFinished,
  nextTimerAt,
  type Plan,
} from "@heddle/engine";
import { DomainError } from "@heddle/errors";
import type { AggregateType } from "@heddle/journal";
import { decodeEvent, encodeEvent } from "./event-codec.ts";
import { nameWhatEnded } from "./ended.ts";

/** One execution in memory: the engine's state with the plan that it runs. */
export interface Execution {
  plan: Plan;
  state: ExecutionState;
  /** Number of its last event. */
  seq: number;
}

/** The engine's commands; a start brings the plan along, because `decide` cannot fetch one. */
export type ExecutionCommand =
  | Exclude<EngineCommand, { type: "start" }>
  | (Extract<EngineCommand, { type: "start" }> & {
      plan: Plan;
      /** Asked at the moment of deciding: the execution that has this start's request id already. */
      findTaken?: () => string | undefined;
    });

/** Finds plans that were loaded before; recovery loads them first (see `prepare`). */
export interface LoadedPlans {
  /** Throws when the plan was not loaded: that is a defect. */
  get(key: { namespace: string; workflowId: string; version: number }): Plan;
  /** Loads the plans of the executions that these events start. */
  load(keys: readonly { namespace: string; workflowId: string; version: number }[]): Promise<void>;
}

/** The execution as the journal runtime sees it: all decisions are the engine's. */
export function createExecutionAggregate(
  plans: LoadedPlans,
  childId: (parentId: string, nodeId: string) => string,
): AggregateType<Execution, ExecutionCommand, Event> {
  return {
    decide(execution, command, { id, now }) {
      if (command.type === "start") refuseTaken(command);
      const plan = execution?.plan ?? planOf(command, id);
      const { state, events } = decide(plan, execution?.state, command, {
        executionId: id,
        now,
        childId: (nodeId) => childId(id, nodeId),
      });
      const seq = (execution?.seq ?? 0) + events.length;
      if (isFinished(state)) nameWhatEnded(events, state);
      return { state: { plan, state, seq }, events, reply: undefined };
    },
    evolve(execution, event) {
      const plan = execution?.plan ?? startedPlan(plans, event);
      return { plan, state: evolve(plan, execution?.state, event), seq: (execution?.seq ?? 0) + 1 };
    },
    encodeEvent,
    decodeEvent,
    seq: (execution) => execution.seq,
    nextTimer(execution) {
      const dueAt = nextTimerAt(execution.state);
      return dueAt === undefined ? undefined : { dueAt, command: { type: "fire_timers" } };
    },
    isFinished: (execution) => isFinished(execution.state),
    prepare: (events) => plans.load(events.filter((event) => event.type === "execution_started")),
  };
}

/** A snapshot of an execution, without its plan. */
export function encodeSnapshot(execution: Execution): string {
  return encodeState(execution.state);
}

export function decodeSnapshot(plan: Plan, snapshot: string, seq: number): Execution {
  return { plan, state: decodeState(snapshot), seq };
}

/** The reason that a start gets whose request id has an execution already; `metadata.execution_id` names it. */
export const REQUEST_ID_TAKEN = "EXECUTION_ALREADY_STARTED";

function refuseTaken({ findTaken, start }: Extract<ExecutionCommand, { type: "start" }>): void {
  const executionId = findTaken?.();
  if (executionId === undefined) return;
  throw new DomainError({
    kind: "already_exists",
    reason: REQUEST_ID_TAKEN,
    message: `request id ${start.requestId} has started execution ${executionId}`,
    metadata: { execution_id: executionId },
  });
}

function planOf(command: ExecutionCommand, id: string): Plan {
  if (command.type === "start") return command.plan;
  throw executionNotFound(id);
}

export function executionNotFound(id: string): DomainError {
  return new DomainError({
    kind: "not_found",
    reason: "EXECUTION_NOT_FOUND",
    message: `there is no execution ${id}; ListExecutions shows those that there are`,
    metadata: { execution_id: id },
  });
}

function startedPlan(plans: LoadedPlans, event: Event): Plan {
  if (event.type !== "execution_started") throw new Error(`a history begins with ${event.type}`);
  return plans.get(event);
}
