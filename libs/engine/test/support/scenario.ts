import { DomainError } from "@heddle/errors";
import {
  type BusEvent,
  type Command,
  type Event,
  type ExecutionState,
  type IncidentResolution,
  type Json,
  type JsonObject,
  type NodeVerdict,
  type RerunSelection,
  type Signal,
  describeReset,
  linkPlan,
  nextTimerAt,
  planRerun,
} from "../../src/index.ts";
import { parsePlan } from "./plan-text.ts";
import { EXECUTION_ID, type Runner, type Step, createRunner, rerunCommand, startCommand } from "./runner.ts";
import { type Words, parseWords, toWord } from "./words.ts";

/**
 * A scenario is a text: comments (`#`), a plan (lines that begin with `| `), commands (`> `) and under each command, indented,
 * what it must give. `playScenario` plays the commands and writes the same text with what it does give.
 *
 * > start {input} [priority=1] [signal={"name":"go","payload":1}]    > complete <node> <output> [attempt=1]    > fail <node> <type> <message> [attempt=1] [retryable=false] [retryAfterMs=5]
 * > tick <ms>   the clock moves on, and timers fire            > signal <name> <payload> [key=key] [id=request]
 * > later <ms>  the clock moves on, and nothing happens        > child-done <node> <output>      > child-failed <node> <type> <message>
 * > machine-is <node> <id>     > machine-done <node> <id> <output>    > machine-failed <node> <id> <type> <message>
 * > event <node> <name> <payload> [key=key] [id=event] [run=n]
 * > update <name> <payload> [id=request]
 * > claim <task> <who>   > release <task> <who>   > reassign <task> <who> [to=who] [groups=[...]]   > comment <task> <who> <text>
 * > answer <task> <who> <answer> [values=mended]   a task is named by its node, and by /n in the n-th turn after the first; all take id=request
 * > resolve <node> {"action":"retry"} [opened=ms]
 * > suspend | resume | cancel | terminate <reason>             > limit <bytes>  of a payload
 * > rerun [{input}] [from=a,b] [failed=true] [changed=true]    goes on with another execution, which runs this one again
 * > reset a,b <reason> [id=request]
 * > would rerun … | would reset a,b   what becomes of each node; nothing happens
 *
 * Events are written without what is always the same. `=>` are obligations that begin or end, `!` is a refusal,
 * `timer +n` says when the execution wants to be woken, counted from now.
 */
export function playScenario(text: string): { text: string; runner: Runner | undefined } {
  const player = createPlayer();
  const lines: string[] = [];
  for (const line of text.split("\n")) {
    if (line.startsWith("  ")) continue;
    lines.push(line);
    if (line.startsWith("| ")) player.planLines.push(line.slice(2));
    if (line.startsWith("> ")) lines.push(...play(player, line.slice(2)));
  }
  return { text: lines.join("\n"), runner: player.runner };
}

interface Player {
  planLines: string[];
  runner: Runner | undefined;
  maxPayloadBytes: number | undefined;
  now: number;
}

function createPlayer(): Player {
  return { planLines: [], runner: undefined, maxPayloadBytes: undefined, now: 0 };
}

function play(player: Player, line: string): string[] {
  const words = parseWords(line);
  if (words.words[0] === "limit") {
    player.maxPayloadBytes = Number(words.words[1]);
    return [];
  }
  const runner = (player.runner ??= createRunner(linkPlan(parsePlan(player.planLines)), player.maxPayloadBytes));
  if (words.words[0] === "tick" || words.words[0] === "later") player.now += Number(words.words[1]);
  if (words.words[0] === "later") return [];
  try {
    if (words.words[0] === "rerun") return playRerun(player, runner, words);
    if (words.words[0] === "would") return describeVerdicts(judge(runner, words));
    const step = runner.send(toCommand(words, runner), player.now);
    return describeStep(step, runner.state as ExecutionState, player.now);
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    const metadata = Object.entries(error.metadata).filter(([name]) => name !== "execution_id");
    return [
      `  ! ${error.reason} ${error.message}`,
      ...metadata.map(([name, value]) => `    ${name}=${value}`),
      ...error.violations.map(({ field, description }) => `    ${field}: ${description}`),
    ];
  }
}

function playRerun(player: Player, past: Runner, words: Words): string[] {
  const { input, selection } = toRerun(past, words);
  const command = rerunCommand(past, input, selection);
  player.runner = createRunner(past.plan, player.maxPayloadBytes);
  const step = player.runner.send(command, player.now);
  return describeStep(step, player.runner.state as ExecutionState, player.now);
}

function toRerun({ state }: Runner, { words, values }: Words): { input: JsonObject; selection: RerunSelection } {
  const input = words[1] === undefined ? (state as ExecutionState).input : (JSON.parse(words[1]) as JsonObject);
  const from = toWord(values.get("from"));
  const selection = {
    from: from === "" ? [] : from.split(","),
    failed: values.get("failed") === true,
    changed: values.get("changed") === true,
  };
  return { input, selection };
}

function judge(past: Runner, { words: [, verb, ...rest], values }: Words): NodeVerdict[] {
  const state = past.state as ExecutionState;
  if (verb === "reset") return describeReset(past.plan, state, (rest[0] ?? "").split(","));
  const { input, selection } = toRerun(past, { words: ["rerun", ...rest], values });
  const source = { executionId: EXECUTION_ID, plan: past.plan, state };
  return planRerun(source, { plan: past.plan, input }, selection).nodes;
}

function describeVerdicts(verdicts: readonly NodeVerdict[]): string[] {
  return verdicts.map(({ nodeId, reason = "kept", becauseOf = "" }) => `  ${nodeId} ${reason} ${becauseOf}`.trimEnd());
}

function toCommand({ words, values }: Words, runner: Runner): Command {
  const [verb, nodeId = "", ...rest] = words as [string, string?, ...string[]];
  const attempt = Number(values.get("attempt") ?? lastAttempt(runner, nodeId));
  const options = Object.fromEntries(values);
  switch (verb) {
    case "start":
      return start(JSON.parse(nodeId || "{}") as JsonObject, options);
    case "complete":
      return { type: "complete_task", nodeId, attempt, output: parse(rest[0]), startedAt: 0, worker: "w" };
    case "fail": {
      const { attempt: _, ...more } = options;
      return {
        type: "fail_task",
        nodeId,
        attempt,
        failure: { type: rest[0] ?? "", message: unquote(rest[1]), ...more },
      };
    }
    case "tick":
      return { type: "fire_timers" };
    case "child-done":
      return {
        type: "complete_child",
        nodeId,
        childId: childIdOf(nodeId, values),
        output: parse(rest[0]),
        ...(values.get("compensable") === true && { compensable: true }),
      };
    case "child-failed":
      return {
        type: "fail_child",
        nodeId,
        childId: childIdOf(nodeId, values),
        failure: { type: rest[0] ?? "", message: unquote(rest[1]) },
      };
    case "machine-is":
      return { type: "acknowledge_machine", nodeId, machineId: rest[0] ?? "" };
    case "machine-done":
      return { type: "complete_machine", nodeId, machineId: rest[0] ?? "", output: parse(rest[1]) };
    case "machine-failed": {
      const failure = { type: rest[1] ?? "", message: unquote(rest[2]) };
      return { type: "fail_machine", nodeId, ...(rest[0] !== "-" && { machineId: rest[0] }), failure };
    }
    case "signal":
      return {
        type: "signal",
        name: nodeId,
        ...(values.has("key") && { key: toWord(values.get("key")) }),
        payload: parse(rest[0]),
        requestId: toWord(values.get("id")),
      };
    case "event":
      return { type: "deliver_event", nodeId, run: Number(values.get("run") ?? 0), event: toBusEvent(rest, values) };
    case "update":
      return {
        type: "update",
        name: nodeId,
        payload: parse(rest[0]),
        requestId: toWord(values.get("id")) || `u${runner.history.length}`,
      };
    case "claim":
    case "release":
    case "reassign":
    case "comment":
    case "answer":
      return toHumanCommand(verb, nodeId, rest, values);
    case "resolve":
      return {
        type: "resolve_incident",
        nodeId,
        resolution: JSON.parse(rest[0] ?? "") as IncidentResolution,
        reason: "",
        ...(values.has("opened") && { openedAt: Number(values.get("opened")) }),
      };
    case "suspend":
    case "resume":
    case "cancel":
    case "terminate":
      return { type: verb, reason: unquote(nodeId) };
    case "reset":
      return {
        type: "reset",
        from: unquote(nodeId)
          .split(",")
          .filter((id) => id !== ""),
        reason: unquote(rest[0]),
        requestId: toWord(values.get("id")),
      };
    default:
      throw new Error(`the scenario has an unknown command ${verb}`);
  }
}

function toHumanCommand(
  verb: "claim" | "release" | "reassign" | "comment" | "answer",
  task: string,
  [by = "", argument]: string[],
  values: Words["values"],
): Command {
  const action = { taskId: `${EXECUTION_ID}/${task}`, by, requestId: toWord(values.get("id")) };
  switch (verb) {
    case "claim":
      return { type: "claim_human_task", ...action };
    case "release":
      return { type: "release_human_task", ...action };
    case "reassign": {
      const [assignee, groups] = [values.get("to"), values.get("groups")];
      return {
        type: "reassign_human_task",
        ...action,
        ...(assignee !== undefined && { assignee: toWord(assignee) }),
        ...(groups !== undefined && { groups: groups as string[] }),
      };
    }
    case "comment":
      return { type: "comment_on_human_task", ...action, text: unquote(argument) };
    case "answer": {
      const mended = values.get("values");
      return {
        type: "answer_human_task",
        ...action,
        answer: parse(argument),
        ...(mended !== undefined && { values: mended }),
      };
    }
  }
}

function describeStep(step: Step, state: ExecutionState, now: number): string[] {
  const { changes } = step;
  const timerAt = nextTimerAt(state);
  return [
    ...step.events.map((event) => `  ${describeEvent(event)}`),
    ...changes.startTasks.map((task) => `  => run ${task.nodeId}#${task.attempt}${describeOptions(task, state)}`),
    ...changes.startChildren.map(
      (child) =>
        `  => start ${child.childId} of ${child.workflowId}${child.compensates === undefined ? "" : ` to undo ${child.compensates}`}`,
    ),
    ...changes.startMachines.map((machine) => `  => create a machine of ${machine.workflowId} as ${machine.requestId}`),
    ...changes.cancelTasks.map((task) => `  => stop ${task.nodeId}#${task.attempt}`),
    ...changes.cancelChildren.map(
      ({ childId, terminate, isAwaited }) =>
        `  => ${terminate ? "terminate" : "cancel"} ${childId}${isAwaited ? " and wait for its end" : ""}`,
    ),
    ...changes.cancelMachines.map(
      ({ nodeId, machineId }) =>
        `  => delete the machine of ${nodeId}${machineId === undefined ? "" : `: ${machineId}`}`,
    ),
    ...(timerAt === undefined ? [] : [`  timer ${timerAt <= now ? "now" : `+${timerAt - now}`}`]),
  ];
}

function describeEvent(event: Event): string {
  if (event.type === "execution_started") return `execution_started input=${JSON.stringify(event.input)}`;
  const { type, at: _, ...fields } = event;
  const { nodeId, ...rest } = fields as Record<string, Json>;
  const isConstant = (name: string) => ["worker", "startedAt", "endedAt", "childId"].includes(name);
  const texts = Object.entries(rest)
    .filter(([name]) => !isConstant(name))
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return [type, ...(nodeId === undefined ? [] : [toWord(nodeId)]), ...texts].join(" ");
}

function describeOptions(task: Step["changes"]["startTasks"][number], state: ExecutionState): string {
  const { agent, timeoutMs, heartbeatTimeoutMs, priority } = task;
  const options = {
    agent,
    timeoutMs,
    heartbeatTimeoutMs,
    queueTimeoutMs: task.queueTimeoutMs,
    progressTimeoutMs: task.progressTimeoutMs,
    scheduledAt: task.scheduledAt,
    priority: priority === state.priority ? undefined : priority,
  };
  const text = JSON.stringify(options);
  return text === "{}" ? "" : ` ${text}`;
}

function toBusEvent([name = "", payload]: string[], values: Words["values"]): BusEvent {
  return {
    id: toWord(values.get("id")) || "other/1",
    name,
    ...(values.has("key") && { key: toWord(values.get("key")) }),
    payload: parse(payload),
    executionId: "other",
    workflowId: "source",
    occurredAt: 0,
  };
}

function start(input: JsonObject, { signal, ...more }: Record<string, Json>): Command {
  const command = startCommand(input, more) as Extract<Command, { type: "start" }>;
  if (signal === undefined) return command;
  return { ...command, signal: { payload: null, requestId: "", ...(signal as object) } as Signal };
}

function lastAttempt(runner: Runner, nodeId: string): number {
  const index = runner.plan.indices.get(nodeId);
  return index === undefined ? 1 : (runner.state?.nodes[index]?.attempt ?? 1);
}

function childIdOf(nodeId: string, values: Words["values"]): string {
  return toWord(values.get("id")) || `child-of-${nodeId}`;
}

function parse(text: string | undefined): Json {
  return text === undefined ? null : (JSON.parse(text) as Json);
}

function unquote(text = ""): string {
  return text.startsWith('"') ? (JSON.parse(text) as string) : text;
}
