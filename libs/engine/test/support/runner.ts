import {
  type Command,
  type ExecutionState,
  type Event,
  type Json,
  type JsonObject,
  type ObligationChanges,
  type Obligations,
  type Plan,
  type RerunSelection,
  decide,
  decodeState,
  encodeState,
  evolve,
  findClosePolicy,
  findField,
  isObject,
  obligations,
  obligationsOf,
  planRerun,
} from "../../src/index.ts";

export const EXECUTION_ID = "01900000-0000-7000-8000-000000000001";

export interface Step {
  events: Event[];
  changes: ObligationChanges;
}

/** An execution with everything that its surroundings would keep, so that all can be compared with all. */
export interface Runner {
  plan: Plan;
  state: ExecutionState | undefined;
  history: Event[];
  /** What the surroundings know from the changes alone. */
  known: Obligations;
  /** Ids of the children that were ever started. */
  startedChildren: Set<string>;
  /** Request ids of the machines that were ever asked for. */
  requestedMachines: Set<string>;
  send(command: Command, now: number): Step;
}

export function startCommand(
  input: JsonObject,
  more: Partial<Extract<Command, { type: "start" }>["start"]> = {},
): Command {
  return {
    type: "start",
    start: {
      namespace: "default",
      workflowId: "test",
      version: 1,
      input,
      requestId: "",
      priority: 5,
      labels: {},
      ...more,
    },
  };
}

/** Starts an execution that runs this one again. */
export function rerunCommand({ plan, state }: Runner, input: JsonObject, selection: RerunSelection): Command {
  const source = { executionId: EXECUTION_ID, plan, state: state as ExecutionState };
  const { from, reuse } = planRerun(source, { plan, input }, selection);
  const command = startCommand(input, { rerunOf: { executionId: EXECUTION_ID, from } });
  return { ...(command as Extract<Command, { type: "start" }>), reuse };
}

export function createRunner(plan: Plan, maxPayloadBytes?: number): Runner {
  const runner: Runner = {
    plan,
    state: undefined,
    history: [],
    known: { tasks: [], children: [], cancelChildren: [], machines: [], cancelMachines: [] },
    startedChildren: new Set(),
    requestedMachines: new Set(),
    send(command, now) {
      const { state, events } = decide(plan, runner.state, command, {
        executionId: EXECUTION_ID,
        now,
        childId: (nodeId) => `child-of-${nodeId}`,
        maxPayloadBytes,
        checkForm,
      });
      runner.state = state;
      runner.history.push(...events);
      const changes = obligationsOf(plan, state, events, EXECUTION_ID);
      forgetLeft(plan, runner.known, events);
      accumulate(runner.known, command, changes);
      for (const { childId } of changes.startChildren) runner.startedChildren.add(childId);
      for (const { requestId } of changes.startMachines) runner.requestedMachines.add(requestId);
      return { events, changes };
    },
  };
  return runner;
}

/** Of a form only what it requires. */
function checkForm({ required }: JsonObject, answer: Json): { field: string; description: string }[] {
  return ((required ?? []) as string[])
    .filter((name) => !isObject(answer) || findField(answer, name) === undefined)
    .map((name) => ({ field: `answer.${name}`, description: "is missing" }));
}

/** The state that the events give, from nothing. */
export function replay(plan: Plan, events: readonly Event[]): ExecutionState | undefined {
  let state: ExecutionState | undefined;
  for (const event of events) state = evolve(plan, state, event);
  return state;
}

/** What is kept of a state when it goes through a snapshot: fields that are undefined are not. */
export function copyState(state: ExecutionState): ExecutionState {
  return decodeState(encodeState(state));
}

/** What the state says and what is known from changes, in the same order. A child that never left its turn needs no cancel. */
export function sortedObligations(runner: Runner): { expected: Obligations; known: Obligations } {
  const expected = obligations(runner.plan, runner.state as ExecutionState, EXECUTION_ID);
  // Who is told that it waits, and how a child is named that is told again, says nothing of what must be true.
  const named = (list: Obligations["cancelChildren"]) =>
    list
      .filter(({ childId }) => runner.startedChildren.has(childId))
      .map(({ childId, terminate }) => ({ nodeId: "", childId, ...(terminate && { terminate }) }));
  const known = { ...runner.known, cancelChildren: named(runner.known.cancelChildren) };
  expected.cancelChildren = named(expected.cancelChildren);
  expected.cancelMachines = expected.cancelMachines.filter(({ requestId }) => runner.requestedMachines.has(requestId));
  return { expected: sortObligations(expected), known: sortObligations(known) };
}

function accumulate(known: Obligations, command: Command, changes: ObligationChanges): void {
  if (command.type === "complete_task" || command.type === "fail_task") {
    known.tasks = known.tasks.filter((task) => task.nodeId !== command.nodeId || task.attempt !== command.attempt);
  }
  if (command.type === "complete_child" || command.type === "fail_child") {
    known.children = known.children.filter((child) => child.childId !== command.childId);
  }
  if (
    command.type === "acknowledge_machine" ||
    command.type === "complete_machine" ||
    command.type === "fail_machine"
  ) {
    known.machines = known.machines.filter(({ nodeId }) => nodeId !== command.nodeId);
  }
  for (const canceled of changes.cancelMachines) {
    known.machines = known.machines.filter(({ nodeId }) => nodeId !== canceled.nodeId);
    known.cancelMachines.push(canceled);
  }
  for (const { nodeId, attempt } of changes.cancelTasks) {
    const at = known.tasks.findIndex((task) => task.nodeId === nodeId && task.attempt === attempt);
    if (at < 0) throw new Error(`attempt ${attempt} of ${nodeId} is canceled and was never handed out`);
    known.tasks.splice(at, 1);
  }
  for (const canceled of changes.cancelChildren) {
    const at = known.children.findIndex((child) => child.childId === canceled.childId);
    // One that must be known to have ended is told again, and may never have left its turn.
    if (at < 0 && !canceled.isAwaited && !canceled.terminate)
      throw new Error(`child ${canceled.childId} is canceled and was never started`);
    if (at >= 0) known.children.splice(at, 1);
    known.cancelChildren = known.cancelChildren.filter(({ childId }) => childId !== canceled.childId);
    known.cancelChildren.push(canceled);
  }
  known.tasks.push(...changes.startTasks);
  known.children.push(...changes.startChildren);
  known.machines.push(...changes.startMachines);
}

/** Children that go on when nobody waits for them any more: nothing is told of them. */
function forgetLeft(plan: Plan, known: Obligations, events: readonly Event[]): void {
  for (const event of events) {
    if (event.type !== "node_canceled" && event.type !== "item_ended") continue;
    const nodeId = event.type === "item_ended" ? `${event.nodeId}[${event.index}]` : event.nodeId;
    if (findClosePolicy(plan, nodeId) !== "leave") continue;
    if (event.type === "item_ended" && event.end.outcome !== "canceled") continue;
    known.children = known.children.filter((child) => child.nodeId !== nodeId);
  }
}

function sortObligations(list: Obligations): Obligations {
  const byNode = (a: object, b: object) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);
  return {
    tasks: list.tasks.toSorted(byNode),
    children: list.children.toSorted(byNode),
    cancelChildren: list.cancelChildren.toSorted(byNode),
    machines: list.machines.toSorted(byNode),
    cancelMachines: list.cancelMachines.toSorted(byNode),
  };
}
