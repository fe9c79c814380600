import { type Machine, MachineStatus } from "@heddle/proto/heddle/statemachine/v1/machine_pb.js";
import { MachineParentKind } from "@heddle/proto/heddle/statemachine/v1/statemachine_event_pb.js";
import { formatDuration } from "./duration.ts";
import { toMs } from "./execution-view.ts";
import type { Style } from "./style.ts";
import { oneLine } from "./text-width.ts";

/** The name of a status in its colour. */
export function machineStatusText(status: MachineStatus, style: Style): string {
  const name = (MachineStatus[status] ?? "unknown").toLowerCase();
  switch (status) {
    case MachineStatus.ACTIVE:
      return style.cyan(name);
    case MachineStatus.FINISHED:
      return style.green(name);
    case MachineStatus.FAILED:
      return style.red(name);
    default:
      return style.yellow(name);
  }
}

/** A machine as lines: a title, and one line for each thing that there is to say. */
export function renderMachine(machine: Machine, { style, nowMs }: { style: Style; nowMs: number }): string[] {
  const { machineId, workflowId, version, status, key, configuration, context, enabledEvents, queuedEvents } = machine;
  const dueAtMs = toMs(machine.nextTimerAt);
  const facts: [name: string, value: string][] = [
    ["key", key],
    ["states", configuration.join(", ")],
    ["events", enabledEvents.join(", ")],
    ["timer", dueAtMs === undefined ? "" : `in ${formatDuration(Math.max(0, dueAtMs - nowMs))}`],
    ["waiting", queuedEvents === 0 ? "" : `${queuedEvents} events`],
    ...machine.invocations.map(({ invokeId, kind, startedId }): [string, string] => [
      "invoked",
      `${invokeId}, a ${kind}: ${startedId === "" ? "has not begun yet" : linkText(kind, startedId)}`,
    ]),
    ["belongs to", parentText(machine)],
    ["context", context === undefined ? "" : JSON.stringify(context)],
    ["failure", machine.failure === undefined ? "" : `${machine.failure.type}: ${machine.failure.message}`],
  ];
  const elapsed = formatDuration((toMs(machine.finishedAt) ?? nowMs) - (toMs(machine.createdAt) ?? nowMs));
  const title = `${style.bold(oneLine(workflowId))} ${style.dim(`v${version}`)}  ${machineStatusText(status, style)}  ${elapsed}  ${style.dim(machineId)}`;
  const lines = facts.filter(([, value]) => value !== "");
  return [title, ...lines.map(([name, value]) => `  ${style.dim(name.padEnd(12))}${oneLine(value)}`)];
}

/** What a state has invoked, as the command takes it that shows it. */
export function linkText(kind: string, id: string): string {
  return kind === "machine" ? `heddle machine get ${id}` : `heddle get ${id}`;
}

function parentText({ parent }: Machine): string {
  if (parent === undefined) return "";
  return parent.kind === MachineParentKind.EXECUTION
    ? `node ${parent.name} of execution ${parent.id}`
    : `invocation ${parent.name} of machine ${parent.id}`;
}
