import type { Command } from "./commands.ts";
import { evolve } from "./evolve.ts";
import type { Event } from "./events.ts";
import { type ExecutionState, isFinished } from "./execution-state.ts";
import { drive } from "./drive.ts";
import { hastenEnding } from "./ending.ts";
import { actOnHumanTask } from "./human-actions.ts";
import { DEFAULT_MAX_PAYLOAD_BYTES } from "./limits.ts";
import { findSizeFault } from "./payload-size.ts";
import type { DecideContext, Plan, Turn } from "./plan.ts";
import {
  executionAlreadyStarted,
  executionFinished,
  executionNotFound,
  executionNotSuspended,
  payloadTooLarge,
} from "./refusals.ts";
import { resolveIncident } from "./incidents.ts";
import { acknowledgeMachine, completeMachine, failMachine } from "./machine-results.ts";
import { completeChild, completeTask, failChild, failTask } from "./results.ts";
import { reset } from "./reset.ts";
import { receiveSignal } from "./signals.ts";
import { takeEvent } from "./bus-events.ts";
import { receiveUpdate } from "./updates.ts";
import { endExecution } from "./ends.ts";
import { cancelActive } from "./stops.ts";
import { createTurn, emit } from "./turn.ts";

export interface Decision {
  state: ExecutionState;
  /** In order; empty when the command changes nothing. */
  events: Event[];
}

/**
 * Answers a command with the events that follow from it, at once up to the point where the execution needs the outside:
 * a worker, a child, a signal, time. The same plan, state, command and context always give the same events.
 *
 * `state` is advanced in place by the returned events (the returned state is the same object, or the first one for a
 * start): a copy per turn would make a fan-out of 5,000 nodes quadratic. A caller that cannot commit the events, or
 * gets anything thrown but a DomainError, must forget the state and rebuild it from what is committed.
 *
 * A turn holds at most MAX_EVENTS_PER_TURN events. What does not fit follows with the next `fire_timers`, for which
 * `nextTimerAt` then gives a time that is past.
 *
 * @throws DomainError before anything has changed:
 * EXECUTION_NOT_FOUND (a command before the start), EXECUTION_ALREADY_STARTED, EXECUTION_FINISHED (metadata.status),
 * EXECUTION_NOT_SUSPENDED, TASK_NOT_RUNNING (metadata.node, metadata.attempt), CHILD_NOT_AWAITED (metadata.node),
 * MACHINE_NOT_AWAITED (metadata.node),
 * EVENT_NOT_AWAITED (metadata.node, metadata.event), UPDATE_UNKNOWN, UPDATE_REJECTED (metadata.update), REQUEST_ID_REUSED (an update's, for another one),
 * HUMAN_TASK_NOT_FOUND, HUMAN_TASK_CLOSED (metadata.status, metadata.answered_by), HUMAN_TASK_HELD (metadata.assignee),
 * HUMAN_TASK_NEEDS_SEVERAL, HUMAN_TASK_ANSWERED_BEFORE, ANSWER_INVALID (one violation for each place),
 * EXECUTION_LIMIT_REACHED (unread signals, open updates, comments), PAYLOAD_TOO_LARGE (input of a start, payload of a signal or update, answer).
 * Whatever goes wrong inside the execution is a failure in its events, never thrown.
 */
export function decide(
  plan: Plan,
  state: ExecutionState | undefined,
  command: Command,
  context: DecideContext,
): Decision {
  if (command.type === "start") return start(plan, state, command, context);
  if (!state) throw executionNotFound(context.executionId);
  const turn = createTurn(plan, state, context);
  apply(turn, command);
  drive(turn);
  return { state, events: turn.events };
}

type StartCommand = Extract<Command, { type: "start" }>;

function start(plan: Plan, state: ExecutionState | undefined, command: StartCommand, context: DecideContext): Decision {
  if (state) throw executionAlreadyStarted(context.executionId);
  const fault = findSizeFault(command.start.input, context.maxPayloadBytes ?? DEFAULT_MAX_PAYLOAD_BYTES);
  if (fault !== undefined) throw payloadTooLarge("input", fault);
  const event: Event = { type: "execution_started", at: context.now, ...command.start };
  const started = evolve(plan, undefined, event);
  const turn = createTurn(plan, started, context);
  turn.events.push(event);
  for (const reuse of command.reuse ?? []) emit(turn, { ...reuse, at: turn.at });
  if (command.signal !== undefined) receiveSignal(turn, command.signal, "signal.payload");
  drive(turn);
  return { state: started, events: turn.events };
}

function apply(turn: Turn, command: Exclude<Command, StartCommand>): void {
  switch (command.type) {
    case "complete_task":
      return completeTask(turn, command);
    case "fail_task":
      return failTask(turn, command);
    case "complete_child":
      return completeChild(turn, command);
    case "fail_child":
      return failChild(turn, command);
    case "acknowledge_machine":
      return acknowledgeMachine(turn, command);
    case "complete_machine":
      return completeMachine(turn, command);
    case "fail_machine":
      return failMachine(turn, command);
    case "signal":
      return receiveSignal(turn, command);
    case "deliver_event":
      return takeEvent(turn, command);
    case "update":
      return receiveUpdate(turn, command);
    case "claim_human_task":
    case "release_human_task":
    case "reassign_human_task":
    case "comment_on_human_task":
    case "answer_human_task":
      return actOnHumanTask(turn, command);
    case "suspend":
      return suspend(turn, command.reason);
    case "resume":
      return resume(turn, command.reason);
    case "cancel":
      return cancel(turn, command.reason);
    case "resolve_incident":
      return resolveIncident(turn, command);
    case "reset":
      return reset(turn, command);
    case "terminate":
      return terminate(turn, command.reason);
    case "fire_timers":
    // `drive` fires whatever is due; a timer of a finished execution is merely late.
  }
}

function suspend(turn: Turn, reason: string): void {
  refuseFinished(turn, "suspend");
  if (turn.state.status === "running") emit(turn, { type: "execution_suspended", at: turn.at, reason });
}

function resume(turn: Turn, reason: string): void {
  refuseFinished(turn, "resume");
  if (turn.state.status === "running") throw executionNotSuspended(turn.context.executionId);
  emit(turn, { type: "execution_resumed", at: turn.at, reason });
}

function cancel(turn: Turn, reason: string): void {
  if (turn.state.status === "canceled") return;
  refuseFinished(turn, "cancel");
  if (turn.state.ending === undefined) endExecution(turn, { outcome: "canceled", reason });
  else hastenEnding(turn, reason);
}

function terminate(turn: Turn, reason: string): void {
  if (turn.state.status === "canceled") return;
  refuseFinished(turn, "terminate");
  cancelActive(turn);
  emit(turn, { type: "execution_canceled", at: turn.at, reason, terminated: true });
}

function refuseFinished(turn: Turn, action: string): void {
  if (isFinished(turn.state)) throw executionFinished(turn.context.executionId, turn.state.status, action);
}
