import { DomainError } from "@heddle/errors";
import type { MachineStatus } from "./machine-state.ts";

// Every way in which the core says no. `decide` throws these before it changes anything.

export function machineNotFound(machineId: string): DomainError {
  return new DomainError({
    kind: "not_found",
    reason: "MACHINE_NOT_FOUND",
    message: `there is no machine ${machineId}`,
    metadata: { machine_id: machineId },
  });
}

export function machineExists(machineId: string): DomainError {
  return new DomainError({
    kind: "already_exists",
    reason: "KEY_EXISTS",
    message: `machine ${machineId} has been created before`,
    metadata: { machine_id: machineId },
  });
}

export function machineFinished(machineId: string, status: MachineStatus, action: string): DomainError {
  return new DomainError({
    kind: "failed_precondition",
    reason: "MACHINE_FINISHED",
    message: `cannot ${action} machine ${machineId}: it ${status === "deleted" ? "has been deleted" : `has ${status}`}`,
    metadata: { machine_id: machineId, status },
  });
}

/** `expected`: what would lead somewhere. */
export function eventNotExpected(
  machineId: string,
  event: string,
  active: readonly string[],
  expected: readonly string[],
): DomainError {
  const hint = expected.length === 0 ? "nothing is expected there" : `expected there: ${expected.join(", ")}`;
  return new DomainError({
    kind: "failed_precondition",
    reason: "EVENT_NOT_EXPECTED",
    message: `machine ${machineId} is in ${active.join(", ")}, where the event ${event} leads nowhere; ${hint}`,
    metadata: { machine_id: machineId, event, configuration: active.join(","), enabled_events: expected.join(",") },
  });
}

export function eventNameInvalid(event: string, why: string): DomainError {
  return new DomainError({
    kind: "invalid_argument",
    reason: "REQUEST_INVALID",
    message: `the event name ${JSON.stringify(event.slice(0, 200))} ${why}`,
    violations: [{ field: "event", description: why }],
  });
}

export function invocationNotRunning(machineId: string, invokeId: string, token: number): DomainError {
  return new DomainError({
    kind: "aborted",
    reason: "INVOCATION_NOT_RUNNING",
    message: `machine ${machineId} does not wait for run ${token} of invocation ${invokeId}; drop the result`,
    metadata: { machine_id: machineId, invoke_id: invokeId, token: String(token) },
  });
}

export function limitReached(machineId: string, what: string): DomainError {
  return new DomainError({
    kind: "resource_exhausted",
    reason: "MACHINE_LIMIT_REACHED",
    message: `machine ${machineId} ${what}`,
    metadata: { machine_id: machineId },
  });
}

export function payloadTooLarge(what: string, fault: string): DomainError {
  return new DomainError({
    kind: "invalid_argument",
    reason: "PAYLOAD_TOO_LARGE",
    message: `${what} ${fault}`,
    violations: [{ field: what, description: fault }],
  });
}

export function chartFormatUnknown(format: string): DomainError {
  return new DomainError({
    kind: "failed_precondition",
    reason: "PLAN_FORMAT_UNKNOWN",
    message: `this process does not know the chart format ${format}; it is older than the one that published it: update it`,
    metadata: { format },
  });
}

export function migrationImpossible(machineId: string, version: number, obstacles: readonly string[]): DomainError {
  return new DomainError({
    kind: "failed_precondition",
    reason: "MIGRATION_IMPOSSIBLE",
    message: `machine ${machineId} cannot move to version ${version}: ${obstacles.join("; ")}`,
    metadata: { machine_id: machineId, version: String(version) },
  });
}

/** The history and the chart do not belong together, or a snapshot is not one. */
export function replayDiverged(message: string): DomainError {
  return new DomainError({ kind: "failed_precondition", reason: "REPLAY_DIVERGED", message });
}
