import {
  type Command as EngineCommand,
  type DecideContext,
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
import { findSchemaFaults, type LoadedPlans, refuseTaken } from "@heddle/journal-service";
import { decodeEvent, encodeEvent } from "./event-codec.ts";
import { nameExecution } from "./told.ts";

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
      /** Called at the moment of deciding. @throws DomainError when it may not start any more */
      check?: () => void;
    });

/** The execution as the journal runtime sees it: all decisions are the engine's. */
export function createExecutionAggregate(
  plans: LoadedPlans<Plan>,
  childId: ChildIdOf,
): AggregateType<Execution, ExecutionCommand, Event> {
  return {
    decide(execution, command, { id, now }) {
      if (command.type === "start") {
        refuseTaken("EXECUTION_ALREADY_STARTED", `request id ${command.start.requestId}`, command.findTaken?.());
        command.check?.();
      }
      const plan = execution?.plan ?? planOf(command, id);
      const { state, events } = decide(plan, execution?.state, command, decideContextOf(id, now, childId));
      const seq = (execution?.seq ?? 0) + events.length;
      // What undoes another execution is not another run of the workflow: nothing must be started because it has ended.
      const isRun = state.compensates === undefined;
      if (isRun && (isFinished(state) || state.origin !== undefined)) nameExecution(events, state);
      else if (events.some(isCustom)) nameExecution(events.filter(isCustom), state);
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

type ChildIdOf = (parentId: string, nodeId: string) => string;

/** What a decision about an execution gets from outside. */
export function decideContextOf(executionId: string, now: number, childId: ChildIdOf): DecideContext {
  return {
    executionId,
    now,
    childId: (nodeId) => childId(executionId, nodeId),
    checkForm: (form, answer) => findSchemaFaults(form, answer, "answer"),
  };
}

/** Others may wait for it, and must know whose it is. */
function isCustom({ type }: Event): boolean {
  return type === "custom_event_emitted";
}

/** A snapshot of an execution, without its plan. */
export function encodeSnapshot({ state, seq }: Execution): string {
  return `${encodeState(state).slice(0, -1)},"seq":${seq}}`;
}

/** The execution as it was at event `seqOf(snapshot)`, or at `lastSeq` when the snapshot does not say. */
export function decodeSnapshot(plan: Plan, snapshot: string, lastSeq: number): Execution {
  return { plan, state: decodeState(snapshot), seq: seqOf(snapshot) ?? lastSeq };
}

/** Number of the last event that a snapshot has seen; undefined for one that was written when snapshots were never behind. */
export function seqOf(snapshot: string): number | undefined {
  const digits = /,"seq":(\d+)\}$/.exec(snapshot.slice(-32))?.[1];
  return digits === undefined ? undefined : Number(digits);
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

function startedPlan(plans: LoadedPlans<Plan>, event: Event): Plan {
  if (event.type !== "execution_started") throw new Error(`a history begins with ${event.type}`);
  return plans.get(event);
}
