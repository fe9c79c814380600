import { MachineStatus } from "@heddle/proto/heddle/statemachine/v1/machine_pb.js";
import {
  EventSource,
  MachineParentKind,
  TimerPolicy,
} from "@heddle/proto/heddle/statemachine/v1/statemachine_event_pb.js";
import type {
  EventReceived,
  MachineParent,
  MachineStatus as CoreStatus,
  TimerPolicy as CorePolicy,
} from "@heddle/statechart";

/** What the core calls by names, as the enums of the contract. */
export const STATUS: Record<CoreStatus, MachineStatus> = {
  active: MachineStatus.ACTIVE,
  suspended: MachineStatus.SUSPENDED,
  finished: MachineStatus.FINISHED,
  failed: MachineStatus.FAILED,
  deleted: MachineStatus.DELETED,
};

export const SOURCE: Record<EventReceived["source"]["kind"], EventSource> = {
  outside: EventSource.OUTSIDE,
  queue: EventSource.QUEUE,
  deferred: EventSource.DEFERRED,
  timer: EventSource.TIMER,
  invocation: EventSource.INVOCATION,
};

export const POLICY: Record<CorePolicy, TimerPolicy> = {
  absolute: TimerPolicy.ABSOLUTE,
  remaining: TimerPolicy.REMAINING,
  restart: TimerPolicy.RESTART,
};

export const PARENT_KIND: Record<MachineParent["kind"], MachineParentKind> = {
  execution: MachineParentKind.EXECUTION,
  machine: MachineParentKind.MACHINE,
};

/** The way back; `fallback` for a number that this process does not know. */
export function nameOf<Name extends string>(
  names: Readonly<Record<Name, number>>,
  value: number,
  fallback: NoInfer<Name>,
): Name {
  for (const name of Object.keys(names) as Name[]) if (names[name] === value) return name;
  return fallback;
}
