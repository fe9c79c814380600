import { createState } from "./create-state.ts";
import { beginCompensating, beginEnding, beginHandling } from "./ending-state.ts";
import type { Event } from "./events.ts";
import { type NodeEvent, evolveNode } from "./evolve-node.ts";
import { type ExecutionState, isFinished } from "./execution-state.ts";
import { approximateBytes } from "./payload-size.ts";
import type { Plan } from "./plan.ts";
import { replayDiverged } from "./refusals.ts";
import { rememberRequest, resetKey } from "./request-keys.ts";
import { resetNodes } from "./reset-state.ts";
import { reuseVars } from "./reuse.ts";
import type { ExecutionStatus } from "./state.ts";
import { acceptUpdate, answerUpdate } from "./update-state.ts";

/**
 * The only way that a state changes. It advances `state` in place and returns it: a copy of a state of 5,000 nodes per
 * event would make a fan-out quadratic. It evaluates nothing: whatever an expression gave is in the event.
 *
 * @throws DomainError REPLAY_DIVERGED when the event cannot follow: a history that does not begin with its start or goes
 * on after its end, or an event about a node that the plan does not have or that is not where the event needs it to be.
 * Nothing has been changed then.
 */
export function evolve(plan: Plan, state: ExecutionState | undefined, event: Event): ExecutionState {
  if (event.type === "execution_started") {
    if (state) throw replayDiverged("a history has a second execution_started; it must have one, as its first event");
    const { type: _, at, compensates, ...start } = event;
    const started = createState(plan, {
      ...start,
      ...(compensates !== undefined && { compensates: compensates.executionId }),
      startedAt: at,
    });
    started.payloadBytes = approximateBytes(event.input);
    if (compensates !== undefined) beginCompensating(plan, started, event);
    return started;
  }
  if (!state) throw replayDiverged(`a history begins with ${event.type}; it must begin with execution_started`);
  if (isFinished(state)) throw replayDiverged(`a history has ${event.type} after its end`);
  if ("nodeId" in event) {
    evolveNode(plan, state, event);
  } else {
    evolveExecution(plan, state, event);
  }
  state.updatedAt = event.at;
  return state;
}

type ExecutionEvent = Exclude<Event, NodeEvent | { type: "execution_started" }>;

function evolveExecution(plan: Plan, state: ExecutionState, event: ExecutionEvent): void {
  switch (event.type) {
    case "execution_completed":
      finish(state, "completed", event.at);
      state.output = event.output;
      state.payloadBytes += approximateBytes(event.output);
      break;
    case "execution_failed":
      finish(state, "failed", event.at);
      state.failure = event.failure;
      break;
    case "execution_canceled":
      finish(state, "canceled", event.at);
      state.reason = event.reason;
      if (event.terminated) state.isTerminated = true;
      break;
    case "execution_error_handled":
      beginHandling(plan, state, event);
      break;
    case "execution_ending":
      beginEnding(plan, state, event);
      break;
    case "execution_ending_hastened":
      state.status = "running";
      state.reason = event.reason;
      if (event.dueAt !== undefined) state.deadlineAt = event.dueAt;
      break;
    case "execution_suspended":
      state.status = "suspended";
      state.reason = event.reason;
      break;
    case "execution_resumed":
      state.status = "running";
      state.reason = event.reason;
      break;
    case "vars_reused":
      reuseVars(plan, state, event);
      break;
    case "execution_reset":
      resetNodes(plan, state, event);
      rememberRequest(state, resetKey(event.requestId));
      break;
    case "update_accepted":
      acceptUpdate(plan, state, event);
      break;
    case "update_answered":
      answerUpdate(state, event);
      break;
    case "signal_received":
      state.signals.push({
        name: event.name,
        ...(event.key !== undefined && { key: event.key }),
        payload: event.payload,
      });
      state.payloadBytes += approximateBytes(event.payload);
      rememberRequest(state, event.requestId);
  }
}

function finish(state: ExecutionState, status: ExecutionStatus, at: number): void {
  state.status = status;
  state.endedAt = at;
  delete state.ending;
  delete state.handling;
  // Nothing can come of these any more.
  state.ready = [];
  state.readyHead = 0;
  state.timers = [];
  state.signals = [];
  state.signalWaiters = [];
  delete state.heldMaps;
}
