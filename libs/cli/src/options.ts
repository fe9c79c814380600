import type { ExecutionStatus } from "@heddle/proto/heddle/execution/v1/execution_pb.js";
import type { HumanTaskStatus } from "@heddle/proto/heddle/execution/v1/human_task_pb.js";
import type { FinishedKeyPolicy, RunningKeyPolicy } from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import type { MachineStatus } from "@heddle/proto/heddle/statemachine/v1/machine_pb.js";
import { InvalidArgumentError } from "commander";
import { listMaxLimit } from "./limits.ts";
import { parseDuration } from "./render/duration.ts";

/** Values of flags, read one by one. Each throws InvalidArgumentError, which commander shows with the flag's name. */

export function parsePort(text: string): number {
  return parseInteger(text, 0, 65_535);
}

export function parsePriority(text: string): number {
  return parseInteger(text, 0, 9);
}

export function parseCount(text: string): number {
  return parseInteger(text, 1, listMaxLimit);
}

export function parsePercent(text: string): number {
  return parseInteger(text.replace(/%$/, ""), 1, 99);
}

/** Milliseconds. */
export function parseTime(text: string): number {
  const ms = parseDuration(text);
  // Timers of Node take no more.
  if (ms === undefined || ms <= 0 || ms > 2 ** 31 - 1) {
    throw new InvalidArgumentError("use a duration such as 500ms, 30s, 5m or 1h30m, at most 24 days.");
  }
  return ms;
}

/** RFC 3339 with its zone, in milliseconds since the epoch. */
export function parseInstant(text: string): number {
  const timeMs = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(timeMs)) throw new InvalidArgumentError("use a time with its zone, e.g. 2030-01-31T08:00:00Z.");
  return timeMs;
}

/** By name, so that help need not load the contract. */
export function parseExecutionStatus(text: string): ExecutionStatus {
  const status = STATUSES[text.toLowerCase()];
  if (status === undefined) throw new InvalidArgumentError(`use one of ${Object.keys(STATUSES).join(", ")}.`);
  return status;
}

const STATUSES: Readonly<Record<string, ExecutionStatus>> = {
  running: 1,
  suspended: 2,
  completed: 3,
  failed: 4,
  canceled: 5,
};

/** By name, so that help need not load the contract. */
export function parseRunningPolicy(text: string): RunningKeyPolicy {
  return parseName(text, { reject: 1, use: 2, cancel: 3, terminate: 4 });
}

export function parseFinishedPolicy(text: string): FinishedKeyPolicy {
  return parseName(text, { allow: 1, "allow-if-failed": 2, reject: 3 });
}

function parseName<T extends number>(text: string, names: Readonly<Record<string, T>>): T {
  const value = names[text];
  if (value === undefined) throw new InvalidArgumentError(`use one of ${Object.keys(names).join(", ")}.`);
  return value;
}

/** As for executions. */
export function parseMachineStatus(text: string): MachineStatus {
  const status = MACHINE_STATUSES[text.toLowerCase()];
  if (status === undefined) throw new InvalidArgumentError(`use one of ${Object.keys(MACHINE_STATUSES).join(", ")}.`);
  return status;
}

const MACHINE_STATUSES: Readonly<Record<string, MachineStatus>> = {
  active: 1,
  suspended: 2,
  finished: 3,
  failed: 4,
  deleted: 5,
};

/** As for executions. */
export function parseHumanTaskStatus(text: string): HumanTaskStatus {
  const status = HUMAN_TASK_STATUSES[text.toLowerCase()];
  if (status === undefined)
    throw new InvalidArgumentError(`use one of ${Object.keys(HUMAN_TASK_STATUSES).join(", ")}.`);
  return status;
}

const HUMAN_TASK_STATUSES: Readonly<Record<string, HumanTaskStatus>> = {
  open: 1,
  claimed: 2,
  completed: 3,
  expired: 4,
  canceled: 5,
};

/** `key=value`; the value may be empty and may have further `=`. */
export function collectLabel(text: string, previous: Record<string, string> = {}): Record<string, string> {
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError("use key=value.");
  return { ...previous, [text.slice(0, at)]: text.slice(at + 1) };
}

export function parseBrokers(text: string): string[] {
  const brokers = text.split(",").map((broker) => broker.trim());
  if (!brokers.every((broker) => /^[^\s:]+:\d+$/.test(broker))) {
    throw new InvalidArgumentError("use host:port, several with commas between them.");
  }
  return brokers;
}

export function collectText(text: string, previous: string[] = []): string[] {
  return [...previous, text];
}

function parseInteger(text: string, min: number, max: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new InvalidArgumentError(`use a whole number from ${min} to ${max}.`);
}
