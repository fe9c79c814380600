import {
  boundFailure,
  coreFailure,
  DEFAULT_MAX_PAYLOAD_BYTES,
  type Failure,
  findSizeFault,
  isObject,
  type Json,
  type JsonObject,
  setField,
} from "@heddle/engine";
import type { Chart } from "./chart.ts";
import type { MachineCommand } from "./commands.ts";
import { enabledEvents } from "./describe.ts";
import {
  doneInvokeEvent,
  ERROR_COMMUNICATION,
  errorInvokeEvent,
  isReserved,
  progressInvokeEvent,
} from "./event-names.ts";
import type { EventReceived, MachineCreated, MachineEvent } from "./events.ts";
import { evolve } from "./evolve.ts";
import { EndlessMacrostep, evaluate, raiseFault } from "./fault.ts";
import { MAX_MACROSTEPS_PER_TURN, MAX_QUEUED_EVENTS } from "./limits.ts";
import { createMacrostep, enterMachine, takeEvent } from "./macrostep.ts";
import { isOver, type MachineState } from "./machine-state.ts";
import {
  eventNameInvalid,
  eventNotExpected,
  invocationNotRunning,
  limitReached,
  machineExists,
  machineFinished,
  machineNotFound,
  migrationImpossible,
  payloadTooLarge,
} from "./refusals.ts";
import { planMigration } from "./plan-migration.ts";
import { createScope } from "./scope.ts";
import { selectTransitions } from "./select.ts";
import { settleMigrated } from "./settle-migrated.ts";
import { type ChartEvent, createStep, type DecideContext, emit, type Macrostep, type Turn } from "./turn.ts";

export interface Decision {
  state: MachineState;
  /** In order; empty when the command changes nothing. */
  events: MachineEvent[];
}

/**
 * Answers a command with the events that follow from it: whole macrosteps, each up to the next stable configuration. The
 * same chart, state, command and context always give the same events.
 *
 * `state` is advanced in place by the returned events. A caller that cannot commit them, or gets anything thrown but a
 * DomainError, must forget the state and rebuild it from what is committed. What does not fit into a turn (events that the
 * machine has sent to itself, many due timers) follows with the next `fire_timers`, for which `nextTimerAt` gives a time that
 * is past.
 *
 * @throws DomainError before anything has changed: MACHINE_NOT_FOUND (a command before the creation), KEY_EXISTS (a second
 * creation), MACHINE_FINISHED, MIGRATION_IMPOSSIBLE, EVENT_NOT_EXPECTED (by policy), INVOCATION_NOT_RUNNING, MACHINE_LIMIT_REACHED (events that wait),
 * PAYLOAD_TOO_LARGE, REQUEST_INVALID (the name of an event). Whatever goes wrong inside the machine is in its events, never thrown.
 */
export function decide(
  chart: Chart,
  state: MachineState | undefined,
  command: MachineCommand,
  context: DecideContext,
): Decision {
  if (command.type === "create") return create(chart, state, command.create, context);
  if (!state) throw machineNotFound(context.machineId);
  if (command.type === "migrate") return migrate(chart, state, command, context);
  const turn = createTurn(chart, state, context);
  apply(turn, command);
  if (turn.events.length > 0 || command.type === "fire_timers") drive(turn);
  return { state, events: turn.events };
}

function createTurn(chart: Chart, state: MachineState, context: DecideContext): Turn {
  return {
    chart,
    state,
    events: [],
    context,
    at: Math.max(context.now, state.updatedAt),
    maxPayloadBytes: context.maxPayloadBytes ?? DEFAULT_MAX_PAYLOAD_BYTES,
    step: createStep(state),
  };
}

/** SCXML: interpret, up to the first stable configuration. */
function create(
  chart: Chart,
  state: MachineState | undefined,
  created: Omit<MachineCreated, "type" | "at">,
  context: DecideContext,
): Decision {
  if (state) throw machineExists(context.machineId);
  const fault = findSizeFault(created.context, context.maxPayloadBytes ?? DEFAULT_MAX_PAYLOAD_BYTES);
  if (fault !== undefined) throw payloadTooLarge("context", fault);
  const given: MachineEvent = { type: "machine_created", at: context.now, ...created };
  const turn = createTurn(chart, evolve(chart, undefined, given), context);
  const step = createMacrostep(turn, undefined);
  const event: MachineEvent = { ...given, context: initialContext(step, created.context) };
  const fresh = createTurn(chart, evolve(chart, undefined, event), context);
  fresh.events.push(event);
  // Data that could not be made is an error inside of the machine, which it may handle in its first state.
  const first = createMacrostep(fresh, undefined);
  fresh.step.effects.push(...turn.step.effects);
  first.internal.push(...step.internal);
  attempt(fresh, () => enterMachine(first));
  drive(fresh);
  return { state: fresh.state, events: fresh.events };
}

/** Early binding: all data; late: the root's. In document order, each sees what stands before it. */
function initialContext(step: Macrostep, overrides: JsonObject): JsonObject {
  const { chart, state } = step.turn;
  const context: JsonObject = {};
  const of = chart.document.binding === "early" ? chart.states : [chart.root];
  for (const { data } of of) {
    for (const { name, value } of data) {
      if (Object.hasOwn(overrides, name)) continue;
      state.context = { ...context, ...overrides };
      try {
        setField(context, name, evaluate(value, createScope(step.turn, undefined)));
      } catch (fault) {
        raiseFault(step.turn, step.raise, fault);
        setField(context, name, null);
      }
    }
  }
  for (const name of Object.keys(overrides)) setField(context, name, overrides[name] as Json);
  return context;
}

/** What the new version asks for where the machine stands begins at once; what it has no place for ends. */
function migrate(
  from: Chart,
  state: MachineState,
  { version, chart, mapping }: Extract<MachineCommand, { type: "migrate" }>,
  context: DecideContext,
): Decision {
  if (state.status !== "failed") refuseOver({ state, context }, "migrate");
  if (state.version === version) return { state, events: [] };
  const { obstacles, ...plan } = planMigration(from, state, chart, mapping);
  if (obstacles.length > 0) throw migrationImpossible(context.machineId, version, obstacles);
  const turn = createTurn(chart, state, context);
  const { namespace, workflowId } = state;
  emit(turn, { type: "machine_migrated", at: turn.at, namespace, workflowId, version, ...plan });
  turn.step = createStep(state);
  attempt(turn, () => settleMigrated(createMacrostep(turn, undefined)));
  drive(turn);
  return { state, events: turn.events };
}

type LaterCommand = Exclude<MachineCommand, { type: "create" | "migrate" }>;

function apply(turn: Turn, command: LaterCommand): void {
  const { state, at } = turn;
  switch (command.type) {
    case "send":
      return receive(turn, command);
    case "fire_timers":
      return;
    case "complete_invocation":
      return endInvocation(turn, command, "completed", doneInvokeEvent(command.invokeId), command.output);
    case "fail_invocation":
      return endInvocation(turn, command, "failed", errorInvokeEvent(command.invokeId), toData(command.failure));
    case "acknowledge_invocation": {
      const { token, startedId } = command;
      const found = [...state.invocations, ...state.cancellations].find((invocation) => invocation.token === token);
      if (found === undefined || found.startedId !== undefined) return;
      return emit(turn, { type: "invocation_acknowledged", at, token, startedId });
    }
    case "report_progress": {
      const { invokeId, data, requestId } = command;
      if (requestId !== "" && state.requestIds.includes(requestId)) return;
      requireInvocation(turn, command);
      return deliver(turn, progressInvokeEvent(invokeId), data, invokeId, requestId);
    }
    case "acknowledge_message":
      return acknowledge(turn, command.messageId, command.failure);
    case "acknowledge_cancellation":
      if (!state.cancellations.some(({ token }) => token === command.token)) return;
      return emit(turn, { type: "cancellation_acknowledged", at, token: command.token });
    case "suspend":
      refuseOver(turn, "suspend");
      if (state.status === "active") emit(turn, { type: "machine_suspended", at, reason: command.reason });
      return;
    case "resume":
      if (state.status !== "failed") refuseOver(turn, "resume");
      if (state.status !== "active") emit(turn, { type: "machine_resumed", at, reason: command.reason });
      return;
    case "delete":
      if (state.status !== "deleted") emit(turn, { type: "machine_deleted", at, reason: command.reason });
  }
}

function receive(turn: Turn, { name, data, requestId }: Extract<MachineCommand, { type: "send" }>): void {
  const { state, context, at } = turn;
  if (requestId !== "" && state.requestIds.includes(requestId)) return;
  refuseOver(turn, "send an event to");
  if (isReserved(name)) throw eventNameInvalid(name, "is reserved for what the machine itself makes; use another one");
  const fault = findSizeFault(data, turn.maxPayloadBytes);
  if (fault !== undefined) throw payloadTooLarge("data", fault);
  const waiting = state.queue.length + state.deferred.length;
  const queue = (because: "deferred" | "suspended"): void => {
    if (waiting >= MAX_QUEUED_EVENTS) {
      throw limitReached(context.machineId, `has ${waiting} events that wait; let it take them first`);
    }
    emit(turn, { type: "event_queued", at, name, data, requestId, because });
  };
  if (state.status === "suspended" || state.queue.length > 0) return queue("suspended");
  if (!isExpected(turn, { name, data, type: "external" })) {
    switch (turn.chart.document.unexpectedEvents) {
      case "refuse":
        throw eventNotExpected(context.machineId, name, activeNames(turn), enabledEvents(turn.chart, state));
      case "queue":
        return queue("deferred");
      case "drop":
        emit(turn, {
          type: "event_dropped",
          at,
          name,
          requestId,
          reason: `nothing waits for it in ${activeNames(turn).join(", ")}`,
        });
        return;
    }
  }
  runEvent(turn, { type: "event_received", at, name, data, requestId, source: { kind: "outside" } });
}

/** Would it enable something? Guards are asked on a copy: what they complain about is said when the event is taken. */
function isExpected(turn: Turn, event: ChartEvent): boolean {
  const probe: Turn = { ...turn, events: [], step: createStep(turn.state) };
  const step = createMacrostep(probe, event);
  if (selectTransitions(step, event.name).length > 0) return true;
  return turn.state.invocations.some(({ id, state }) => {
    const index = turn.chart.indices.get(state);
    const owner = index === undefined ? undefined : turn.chart.states[index];
    return owner?.invocations.some((invocation) => invocation.id === id && invocation.definition.autoForward) === true;
  });
}

function endInvocation(
  turn: Turn,
  command: { invokeId: string; token: number },
  outcome: "completed" | "failed",
  name: string,
  data: Json,
): void {
  const { state, at } = turn;
  const { invokeId, token } = command;
  if (state.cancellations.some((canceled) => canceled.token === token)) {
    // It ended before it heard that it was left.
    return emit(turn, { type: "cancellation_acknowledged", at, token });
  }
  requireInvocation(turn, command);
  const end = { type: "invocation_ended", at, invokeId, token, outcome } as const;
  // The event first: `finalize` and the transitions see the invocation as running.
  deliver(turn, name, data, invokeId);
  if (!isOver(state) && state.invocations.some((running) => running.token === token)) emit(turn, end);
}

function requireInvocation({ state, context }: Turn, { invokeId, token }: { invokeId: string; token: number }): void {
  const isRunning = state.invocations.some((running) => running.id === invokeId && running.token === token);
  if (!isRunning || isOver(state)) throw invocationNotRunning(context.machineId, invokeId, token);
}

/** An event of an invocation: nobody refuses it; while the machine is suspended it waits. */
function deliver(turn: Turn, name: string, data: Json, invokeId: string, requestId = ""): void {
  const { state, at } = turn;
  if (state.status === "suspended" || state.queue.length > 0) {
    emit(turn, { type: "event_queued", at, name, data, requestId, because: "suspended" });
    return;
  }
  runEvent(turn, { type: "event_received", at, name, data, requestId, source: { kind: "invocation", invokeId } });
}

function acknowledge(turn: Turn, messageId: number, failure: Failure | undefined): void {
  const message = turn.state.messages.find(({ id }) => id === messageId);
  if (message === undefined) return;
  emit(turn, { type: "message_acknowledged", at: turn.at, messageId });
  if (failure === undefined || isOver(turn.state)) return;
  const data = { ...(toData(failure) as JsonObject), event: message.name };
  if (turn.state.status === "suspended") {
    emit(turn, {
      type: "event_queued",
      at: turn.at,
      name: ERROR_COMMUNICATION,
      data,
      requestId: "",
      because: "suspended",
    });
    return;
  }
  runEvent(turn, {
    type: "event_received",
    at: turn.at,
    name: ERROR_COMMUNICATION,
    data,
    requestId: "",
    source: { kind: "outside" },
  });
}

/** What waits inside: deferred events that have become possible, own events, due timers; in this order, within the bound. */
function drive(turn: Turn): void {
  for (let macrosteps = 0; macrosteps < MAX_MACROSTEPS_PER_TURN; ) {
    const { state } = turn;
    if (state.status !== "active") return;
    const next = nextEvent(turn);
    if (next === undefined) return;
    runEvent(turn, next);
    // A deferred event is taken at most once: they bound themselves.
    if (next.source.kind !== "deferred") macrosteps += 1;
  }
}

function nextEvent(turn: Turn): EventReceived | undefined {
  const { state, at } = turn;
  const received = { type: "event_received", at, requestId: "" } as const;
  const position = state.deferred.findIndex(({ name, data }) => isExpected(turn, { name, data, type: "external" }));
  if (position >= 0) {
    const { name, data } = state.deferred[position] as { name: string; data: Json };
    return { ...received, name, data, source: { kind: "deferred", position } };
  }
  const [own] = state.queue;
  if (own !== undefined) return { ...received, name: own.name, data: own.data, source: { kind: "queue" } };
  let due: (typeof state.timers)[number] | undefined;
  for (const timer of state.timers) {
    if (timer.dueAt <= turn.context.now && (due === undefined || timer.dueAt < due.dueAt)) due = timer;
  }
  if (due === undefined) return undefined;
  return { ...received, name: due.event, data: due.data, source: { kind: "timer", timerId: due.id } };
}

function runEvent(turn: Turn, received: EventReceived): void {
  const sendId = sendIdOf(turn.state, received);
  emit(turn, received);
  const { name, data, source } = received;
  const event: ChartEvent = {
    name,
    data,
    type: "external",
    ...(sendId !== undefined && { sendId }),
    ...(source.kind === "invocation" && { invokeId: source.invokeId }),
  };
  const step = createMacrostep(turn, event);
  turn.step = createStep(turn.state);
  attempt(turn, () => takeEvent(step, event));
}

function sendIdOf(state: MachineState, { source }: EventReceived): string | undefined {
  if (source.kind === "queue") return state.queue[0]?.sendId;
  if (source.kind === "timer") return state.timers.find(({ id }) => id === source.timerId)?.sendId;
  return undefined;
}

/** A macrostep happens as a whole or not at all: one that has no end leaves the machine where it was, and failed. */
function attempt(turn: Turn, run: () => void): void {
  const { state, events } = turn;
  const before = { ...state };
  const length = events.length;
  try {
    run();
  } catch (error) {
    if (!(error instanceof EndlessMacrostep)) throw error;
    events.length = length;
    for (const name of Object.keys(state))
      if (!(name in before)) delete (state as unknown as Record<string, unknown>)[name];
    Object.assign(state, before);
    turn.step = createStep(state);
    emit(turn, {
      type: "machine_failed",
      at: turn.at,
      failure: boundFailure({ ...coreFailure("invalid_value", error.message), type: error.type }),
    });
  }
}

function refuseOver({ state, context }: Pick<Turn, "state" | "context">, action: string): void {
  if (isOver(state)) throw machineFinished(context.machineId, state.status, action);
}

function activeNames({ chart, state }: Turn): string[] {
  return state.configuration.map((index) => chart.states[index]?.id ?? "");
}

function toData(failure: Failure): Json {
  const { type, message, details } = failure;
  return { type, message, details: details !== undefined && isObject(details) ? details : (details ?? null) };
}
