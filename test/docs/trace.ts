import { DomainError } from "@heddle/errors";
import { parseDuration } from "@heddle/engine";
import { compileDefinition } from "@heddle/language";
import { createChartPlayer } from "./chart-player.ts";
import { createDagPlayer } from "./dag-player.ts";
import type { Player, TraceCommand } from "./player.ts";

/**
 * Plays the commands of a trace, and returns the trace with what they give. Commands stand at the beginning of a line, what
 * follows from them is indented below:
 *
 * start {input}          | create an execution or a machine
 * ship gives {output}    | the task, child, item (`map[2]`) or invocation has succeeded
 * ship fails type words  | or failed
 * signal paid {payload}  | to an execution, also as `signal paid key=o1 {payload}`; `send paid {data}` to a machine
 * 5m pass                | the clock moves on, and whatever is due fires
 * cancel
 */
export function playTrace(source: string, trace: string): string {
  const player = createPlayer(source);
  const lines: string[] = [];
  for (const line of trace.split("\n")) {
    if (line.trim() === "" || line.startsWith(" ")) continue;
    lines.push(line, ...answer(player, parseCommand(line)).map((each) => `  ${each}`));
  }
  player.check();
  return `${lines.join("\n")}\n`;
}

function createPlayer(source: string): Player {
  const { findings, plan } = compileDefinition(source, { workflowExists: () => true });
  if (plan === undefined || findings.length > 0) {
    throw new Error(findings.map(({ line, column, message }) => `${line}:${column} ${message}`).join("\n"));
  }
  return plan.type === "dag" ? createDagPlayer(plan) : createChartPlayer(plan);
}

function answer(player: Player, command: TraceCommand): string[] {
  try {
    return player.play(command);
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    return [`refused: ${error.reason}`];
  }
}

function parseCommand(line: string): TraceCommand {
  const [first = "", second = "", ...more] = line.split(" ");
  const rest = more.join(" ");
  if (first === "start") return { verb: "start", input: parseJson([second, ...more].join(" "), {}) };
  if (first === "signal" || first === "send") return parseSend(second, more);
  if (first === "cancel") return { verb: "cancel" };
  if (second === "gives") return { verb: "gives", name: first, output: parseJson(rest, null) };
  if (second === "fails") {
    return { verb: "fails", name: first, type: more[0] ?? "error", message: more.slice(1).join(" ") };
  }
  const ms = second === "pass" ? parseDuration(first) : undefined;
  if (ms !== undefined) return { verb: "pass", ms };
  throw new Error(`a trace has the line "${line}", which is no command`);
}

function parseSend(name: string, more: string[]): TraceCommand {
  const [, key] = /^key=(.+)$/.exec(more[0] ?? "") ?? [];
  if (key === undefined) return { verb: "send", name, data: parseJson(more.join(" "), null) };
  return { verb: "send", name, key, data: parseJson(more.slice(1).join(" "), null) };
}

function parseJson(text: string, absent: unknown): unknown {
  return text === "" ? absent : JSON.parse(text);
}
