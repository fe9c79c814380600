import {
  type Command,
  type Event,
  type ExecutionState,
  type Failure,
  type Json,
  type JsonObject,
  type PlanDocument,
  decide,
  decodeState,
  encodeState,
  evolve,
  isFinished,
  linkPlan,
  nextTimerAt,
} from "@heddle/engine";
import { expect } from "vitest";
import type { Player, TraceCommand } from "./player.ts";

const EXECUTION_ID = "01900000-0000-7000-8000-000000000001";

/** Events that say nothing that the lines of others do not say. */
const SILENT: ReadonlySet<Event["type"]> = new Set([
  "execution_started",
  "task_completed",
  "node_completed",
  "map_started",
  "turn_ended",
  "signal_received",
  "machine_acknowledged",
  "compensation_recorded",
  "compensation_started",
]);

/** Plays items whose body stands in their map as well: `each[0]/fetch` is a node of one. */
export function createDagPlayer(document: PlanDocument): Player {
  return createExecutionPlayer(document, Date.UTC(2030, 0, 1));
}

interface ExecutionPlayer extends Player {
  /** How it has ended. */
  end(): ChildEnd | undefined;
}

type ChildEnd = { type: "complete_child"; output: Json } | { type: "fail_child"; failure: Failure };

function createExecutionPlayer(document: PlanDocument, startedAt: number): ExecutionPlayer {
  const plan = linkPlan(document);
  const history: Event[] = [];
  const children = new Map<string, string>();
  const items = new Map<string, ExecutionPlayer>();
  let state: ExecutionState | undefined;
  let now = startedAt;

  function decideOne(command: Command): Event[] {
    const decision = decide(plan, state, command, { executionId: EXECUTION_ID, now, childId: (name) => `of-${name}` });
    state = decision.state;
    history.push(...decision.events);
    return decision.events;
  }

  /** A turn is bounded: what is left follows at once. */
  function send(command: Command): Event[] {
    const events = decideOne(command);
    for (let due = dueAt(); due !== undefined && due <= now; due = dueAt()) {
      events.push(...decideOne({ type: "fire_timers" }));
    }
    return events;
  }

  function dueAt(): number | undefined {
    return state === undefined || isFinished(state) ? undefined : nextTimerAt(state);
  }

  function pass(ms: number): Event[] {
    const end = now + ms;
    const events: Event[] = [];
    for (let due = dueAt(); due !== undefined && due <= end; due = dueAt()) {
      now = Math.max(now, due);
      events.push(...send({ type: "fire_timers" }));
    }
    now = end;
    return events;
  }

  /** A machine says that it exists before it can end. */
  function end(command: Extract<TraceCommand, { verb: "gives" | "fails" }>): Event[] {
    const index = plan.indices.get(command.name) ?? -1;
    if (plan.nodes[index]?.definition.kind !== "state_machine") return send(result(command));
    const machine = { nodeId: command.name, machineId: "order-1" };
    const events = send({ type: "acknowledge_machine", ...machine });
    const last: Command =
      command.verb === "gives"
        ? { type: "complete_machine", ...machine, output: outputOf(command) }
        : { type: "fail_machine", ...machine, failure: { type: command.type, message: command.message } };
    return [...events, ...send(last)];
  }

  function result(command: Extract<TraceCommand, { verb: "gives" | "fails" }>): Command {
    const { name: nodeId } = command;
    const childId = children.get(nodeId);
    const failure = command.verb === "fails" ? { type: command.type, message: command.message } : undefined;
    if (childId !== undefined) {
      return failure === undefined
        ? { type: "complete_child", nodeId, childId, output: outputOf(command) }
        : { type: "fail_child", nodeId, childId, failure };
    }
    const attempt = state?.nodes[plan.indices.get(nodeId) ?? -1]?.attempt ?? 1;
    return failure === undefined
      ? { type: "complete_task", nodeId, attempt, output: outputOf(command), startedAt: now, worker: "w" }
      : { type: "fail_task", nodeId, attempt, failure };
  }

  function run(command: TraceCommand): Event[] {
    switch (command.verb) {
      case "start":
        return send({
          type: "start",
          start: {
            namespace: "default",
            workflowId: document.workflowId,
            version: 1,
            input: command.input as JsonObject,
            requestId: "",
            priority: 5,
            labels: {},
          },
        });
      case "send":
        return send({
          type: "signal",
          name: command.name,
          ...(command.key !== undefined && { key: command.key }),
          payload: command.data as Json,
          requestId: "",
        });
      case "cancel":
        return send({ type: "cancel", reason: "" });
      case "pass":
        return pass(command.ms);
      default:
        return end(command);
    }
  }

  function tell(events: readonly Event[]): string[] {
    for (const event of events) {
      if (event.type === "child_started") children.set(event.nodeId, event.childId);
      if (event.type === "item_started") children.set(`${event.nodeId}[${event.index}]`, event.childId);
    }
    return events.flatMap((event) => [...(isSilent(event) ? [] : [describe(event)]), ...follow(event)]);
  }

  /** What the event means for an item whose body stands in its map. */
  function follow(event: Event): string[] {
    if (event.type !== "item_started" && event.type !== "item_ended") return [];
    const name = `${event.nodeId}[${event.index}]`;
    if (event.type === "item_ended") {
      items.delete(name);
      return [];
    }
    const body = document.bodies?.[event.nodeId];
    if (body === undefined) return [];
    items.set(name, createExecutionPlayer(body, now));
    return playItem(name, { verb: "start", input: event.input });
  }

  function playItem(name: string, command: TraceCommand): string[] {
    const item = items.get(name);
    if (item === undefined) throw new Error(`no item ${name} runs`);
    const lines = item.play(command).map((line) => `${name}/${line}`);
    const ended = item.end();
    if (ended === undefined) return lines;
    item.check();
    return [...lines, ...tell(send({ ...ended, nodeId: name, childId: children.get(name) as string }))];
  }

  return {
    play(command) {
      const [, item, name = ""] = ("name" in command && /^([^/]+)\/(.+)$/.exec(command.name)) || [];
      if (item !== undefined) return playItem(item, { ...command, name } as TraceCommand);
      const lines = tell(run(command));
      if (command.verb === "pass") for (const each of items.keys()) lines.push(...playItem(each, command));
      return lines;
    },
    end() {
      const last = history.at(-1);
      if (last?.type === "execution_completed") return { type: "complete_child", output: last.output };
      return last?.type === "execution_failed" ? { type: "fail_child", failure: last.failure } : undefined;
    },
    check() {
      let replayed: ExecutionState | undefined;
      for (const event of history) replayed = evolve(plan, replayed, structuredClone(event));
      expect(decodeState(encodeState(replayed as ExecutionState))).toEqual(
        decodeState(encodeState(state as ExecutionState)),
      );
    },
  };
}

function isSilent(event: Event): boolean {
  return SILENT.has(event.type) || (event.type === "task_failed" && event.retryAt === undefined);
}

function outputOf(command: TraceCommand): Json {
  return command.verb === "gives" ? (command.output as Json) : null;
}

function describe(event: Event): string {
  switch (event.type) {
    case "task_scheduled":
      return `${event.nodeId} runs${isEmpty(event.input) ? "" : ` with ${JSON.stringify(event.input)}`}`;
    case "task_failed":
      return `${event.nodeId} fails (${event.failure.type}), and is tried again`;
    case "wait_started":
      return `${event.nodeId} waits${event.signal === undefined ? "" : ` for signal ${event.signal}`}`;
    case "child_started":
      return `${event.nodeId} starts ${event.workflowId}`;
    case "item_started":
      return `${event.nodeId}[${event.index}] starts ${event.workflowId} with ${JSON.stringify(event.input)}`;
    case "item_ended":
      return `${event.nodeId}[${event.index}] has ${event.end.outcome === "canceled" ? "been canceled" : event.end.outcome}`;
    case "machine_requested":
      return `${event.nodeId} creates a machine of ${event.workflowId}`;
    case "turn_started":
      return `${event.nodeId} begins turn ${event.turn}`;
    case "node_failed":
      return `${event.nodeId} fails (${event.failure.type})`;
    case "error_handled":
      return `${event.nodeId} has failed (${event.failure.type}): ${describeOutcome(event.outcome)}`;
    case "node_skipped":
      return `${event.nodeId} is skipped (${event.reason})`;
    case "node_canceled":
      return `${event.nodeId} is canceled`;
    case "logged":
      return `${event.nodeId} logs ${JSON.stringify(event.message)}`;
    case "custom_event_emitted":
      return `${event.nodeId} emits ${event.name} ${JSON.stringify(event.payload)}`;
    case "execution_ending":
      return `is to end as ${event.end.outcome}`;
    case "execution_ending_hastened":
      return "is to end in a bounded time";
    case "execution_error_handled": {
      const { failure, outcome } = event;
      const what =
        outcome.action === "fallback" ? `${outcome.fallbackId} runs in the place of everything` : "it completes";
      return `was to fail (${failure.type}): ${what}`;
    }
    case "execution_completed":
      return `completed ${JSON.stringify(event.output)}`;
    case "execution_failed":
      return `failed (${event.failure.type}) ${event.failure.message}`.trimEnd();
    case "execution_canceled":
      return "canceled";
    default: {
      const { type, at: _, ...fields } = event;
      return [type, ...Object.entries(fields).map(([name, value]) => `${name}=${JSON.stringify(value)}`)].join(" ");
    }
  }
}

function describeOutcome(outcome: Extract<Event, { type: "error_handled" }>["outcome"]): string {
  switch (outcome.action) {
    case "skip":
      return "it is skipped";
    case "continue":
      return `its output is ${JSON.stringify(outcome.output)}`;
    case "fallback":
      return `${outcome.fallbackId} takes its place`;
    case "incident":
      return "it waits for a person";
  }
}

function isEmpty(input: Json | undefined): boolean {
  return input === undefined || input === null || (typeof input === "object" && Object.keys(input).length === 0);
}
