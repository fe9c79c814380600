import { type JsonObject, setField } from "@heddle/engine";
import type { Chart, LinkedState } from "./chart.ts";
import { delayEventOf, delayPosition } from "./event-names.ts";
import type { Effect, EventReceived, MachineCreated, MachineEvent, MachineMigrated, Microstep } from "./events.ts";
import { MAX_REMEMBERED_REQUESTS } from "./limits.ts";
import { recordHistory } from "./history.ts";
import { type Invocation, isOver, type MachineState, type Timer } from "./machine-state.ts";
import { replayDiverged } from "./refusals.ts";

/**
 * The only way that a state changes. It advances `state` in place and returns it; what a microstep touches is replaced and
 * not written into, so that a shallow copy of the state is a way back. It evaluates nothing: whatever an expression gave
 * is in the event.
 *
 * @throws DomainError REPLAY_DIVERGED when the event cannot follow. Nothing has been changed then.
 */
export function evolve(chart: Chart, state: MachineState | undefined, event: MachineEvent): MachineState {
  if (event.type === "machine_created") {
    if (state) throw replayDiverged("a history has a second machine_created; it must have one, as its first event");
    return createState(event);
  }
  if (!state) throw replayDiverged(`a history begins with ${event.type}; it must begin with machine_created`);
  apply(chart, state, event);
  state.updatedAt = event.at;
  return state;
}

function createState({ type: _, at, context, ...created }: MachineCreated): MachineState {
  return {
    ...created,
    status: "active",
    configuration: [],
    context,
    history: {},
    initialized: [],
    timers: [],
    queue: [],
    deferred: [],
    invocations: [],
    cancellations: [],
    messages: [],
    nextTimer: 1,
    nextMessage: 1,
    nextToken: 1,
    requestIds: [],
    unhandledRequestIds: [],
    createdAt: at,
    updatedAt: at,
  };
}

type LaterEvent = Exclude<MachineEvent, MachineCreated>;

function apply(chart: Chart, state: MachineState, event: LaterEvent): void {
  switch (event.type) {
    case "event_received":
      return receive(state, event);
    case "microstep":
      return move(chart, state, event);
    case "event_dropped":
      return rememberUnhandled(state, event.requestId);
    case "event_queued": {
      rememberUnhandled(state, event.requestId);
      const queued = { name: event.name, data: event.data };
      if (event.because === "deferred") state.deferred = [...state.deferred, queued];
      else state.queue = [...state.queue, queued];
      return;
    }
    case "invocation_started":
      state.invocations = [
        ...state.invocations,
        { id: event.invokeId, state: event.state, kind: event.kind, token: event.token, input: event.input },
      ];
      state.nextToken = event.token + 1;
      return;
    case "invocation_acknowledged":
      state.invocations = state.invocations.map((invocation) => started(invocation, event));
      state.cancellations = state.cancellations.map((invocation) => started(invocation, event));
      return;
    case "invocation_ended":
      state.invocations = state.invocations.filter(({ token }) => token !== event.token);
      return;
    case "message_acknowledged":
      state.messages = state.messages.filter(({ id }) => id !== event.messageId);
      return;
    case "cancellation_acknowledged":
      state.cancellations = state.cancellations.filter(({ token }) => token !== event.token);
      return;
    case "machine_finished":
      assign(state, event.assigned);
      for (const effect of event.effects) affect(state, effect);
      end(state, "finished", event.at);
      state.output = event.output;
      return;
    case "machine_failed":
      // Nothing is forgotten: a resumed machine goes on from here.
      state.status = "failed";
      state.failure = event.failure;
      state.endedAt = event.at;
      return;
    case "machine_suspended":
      state.status = "suspended";
      state.reason = event.reason;
      state.suspendedAt = event.at;
      return;
    case "machine_resumed":
      return resume(state, event);
    case "machine_deleted":
      end(state, "deleted", event.at);
      state.reason = event.reason;
      return;
    case "machine_migrated":
      migrate(chart, state, event);
  }
}

function started(invocation: Invocation, { token, startedId }: { token: number; startedId: string }): Invocation {
  return invocation.token === token ? { ...invocation, startedId } : invocation;
}

/** `chart` is that of the new version, in which other indices name other states. */
function migrate(chart: Chart, state: MachineState, event: MachineMigrated): void {
  const indicesOf = (ids: readonly string[]): number[] => ids.map((id) => stateOf(chart, id).index).sort(ascending);
  const rename = (id: string): string => (Object.hasOwn(event.renamed, id) ? (event.renamed[id] as string) : id);
  const configuration = indicesOf(event.configuration);
  const history = Object.fromEntries(
    Object.entries(event.history).map(([id, states]) => [stateOf(chart, id).index, indicesOf(states)]),
  );
  const initialized = indicesOf(event.initialized);
  const canceled = state.invocations.filter(({ id }) => event.canceledInvocations.includes(id));
  state.version = event.version;
  state.configuration = configuration;
  state.history = history;
  state.initialized = initialized;
  state.timers = state.timers
    .filter(({ id }) => !event.canceledTimers.includes(id))
    .map((timer) => (timer.state === undefined ? timer : renameTimer(timer, timer.state, rename(timer.state))));
  state.invocations = state.invocations
    .filter((invocation) => !canceled.includes(invocation))
    .map((invocation) => ({ ...invocation, state: rename(invocation.state) }));
  state.cancellations = [...state.cancellations, ...canceled];
}

/** The timer of a delayed transition is called after its state. */
function renameTimer(timer: Timer, from: string, to: string): Timer {
  const event = delayEventOf(to, delayPosition(timer.event, from));
  return { ...timer, id: event, event, state: to };
}

function receive(state: MachineState, { source, requestId }: EventReceived): void {
  remember(state, requestId);
  switch (source.kind) {
    case "queue":
      state.queue = state.queue.slice(1);
      return;
    case "deferred":
      state.deferred = state.deferred.filter((_, position) => position !== source.position);
      return;
    case "timer":
      state.timers = state.timers.filter(({ id }) => id !== source.timerId);
      break;
    case "outside":
    case "invocation":
  }
}

function move(chart: Chart, state: MachineState, { exited, entered, assigned, effects }: Microstep): void {
  if (exited.length > 0 || entered.length > 0) {
    const left = exited.map((id) => activeState(chart, state, id));
    // In both of these before the configuration changes: a history is of what was active.
    const history = rememberHistory(chart, state, left);
    leave(state, exited);
    if (history !== undefined) state.history = history;
    const gone = new Set(left.map(({ index }) => index));
    const added = entered.map((id) => stateOf(chart, id).index);
    state.configuration = [...state.configuration.filter((index) => !gone.has(index)), ...added].sort(ascending);
    if (chart.document.binding === "late") state.initialized = [...new Set([...state.initialized, ...added])];
  }
  assign(state, assigned);
  for (const effect of effects) affect(state, effect);
}

/** SCXML 3.10: what a history state stands for from now on. */
function rememberHistory(
  chart: Chart,
  state: MachineState,
  left: readonly LinkedState[],
): MachineState["history"] | undefined {
  let history: MachineState["history"] | undefined;
  for (const parent of left) {
    for (const own of parent.histories) {
      const isDeep = own.definition.history === "deep";
      history ??= { ...state.history };
      history[own.index] = recordHistory(chart.states, state.configuration, parent, isDeep);
    }
  }
  return history;
}

/** What belongs to a state ends with it. */
function leave(state: MachineState, exited: readonly string[]): void {
  const isLeft = (id: string | undefined): boolean => id !== undefined && exited.includes(id);
  if (state.timers.some((timer) => isLeft(timer.state))) {
    state.timers = state.timers.filter((timer) => !isLeft(timer.state));
  }
  const canceled = state.invocations.filter((invocation) => isLeft(invocation.state));
  if (canceled.length === 0) return;
  state.invocations = state.invocations.filter((invocation) => !canceled.includes(invocation));
  state.cancellations = [...state.cancellations, ...canceled];
}

function affect(state: MachineState, effect: Effect): void {
  switch (effect.type) {
    case "timer_set": {
      const { type: _, timerId, ...timer } = effect;
      state.timers = [...state.timers, { id: timerId, ...timer }];
      if (effect.state === undefined) state.nextTimer += 1;
      return;
    }
    case "timer_canceled":
      state.timers = state.timers.filter(({ id }) => id !== effect.timerId);
      return;
    case "event_sent":
      state.queue = [...state.queue, { name: effect.name, data: effect.data, sendId: effect.sendId }];
      return;
    case "message_sent":
      state.messages = [
        ...state.messages,
        { id: effect.messageId, target: effect.target, name: effect.name, data: effect.data },
      ];
      state.nextMessage = effect.messageId + 1;
      break;
    case "logged":
    case "error":
    // For readers of the history.
  }
}

function assign(state: MachineState, assigned: JsonObject | undefined): void {
  if (assigned === undefined) return;
  const context = { ...state.context };
  for (const name of Object.keys(assigned)) setField(context, name, assigned[name]!);
  state.context = context;
}

function resume(state: MachineState, { at, reason }: { at: number; reason: string }): void {
  const suspendedAt = state.suspendedAt ?? state.endedAt ?? at;
  state.timers = state.timers.map((timer) => afterSuspension(timer, suspendedAt, at));
  state.status = "active";
  state.reason = reason;
  delete state.suspendedAt;
  delete state.failure;
  delete state.endedAt;
}

function afterSuspension(timer: Timer, suspendedAt: number, at: number): Timer {
  if (timer.policy === "remaining") return { ...timer, dueAt: timer.dueAt + Math.max(0, at - suspendedAt) };
  return timer.policy === "restart" ? { ...timer, dueAt: at + timer.durationMs } : timer;
}

function end(state: MachineState, status: "finished" | "deleted", at: number): void {
  state.cancellations = [...state.cancellations, ...state.invocations];
  state.invocations = [];
  state.timers = [];
  state.queue = [];
  state.deferred = [];
  state.status = status;
  state.endedAt = at;
  // A deleted machine tells nobody anything any more.
  if (status === "deleted") state.messages = [];
}

function remember(state: MachineState, requestId: string): void {
  if (requestId === "") return;
  state.requestIds.push(requestId);
  if (state.requestIds.length > MAX_REMEMBERED_REQUESTS) state.requestIds.shift();
}

function rememberUnhandled(state: MachineState, requestId: string): void {
  if (requestId === "") return;
  remember(state, requestId);
  state.unhandledRequestIds.push(requestId);
  if (state.unhandledRequestIds.length > MAX_REMEMBERED_REQUESTS) state.unhandledRequestIds.shift();
}

function activeState(chart: Chart, state: MachineState, id: string): LinkedState {
  const found = stateOf(chart, id);
  if (state.configuration.includes(found.index) && !isOver(state)) return found;
  throw replayDiverged(`a history leaves state ${id}, in which the machine is not`);
}

function stateOf(chart: Chart, id: string): LinkedState {
  const index = chart.indices.get(id);
  if (index === undefined) throw replayDiverged(`a history names state ${id}, which the chart does not have`);
  return chart.states[index] as LinkedState;
}

function ascending(a: number, b: number): number {
  return a - b;
}
