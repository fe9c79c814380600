import { admit, type AdmissionContext, type Place } from "./admit.ts";
import { grantLease } from "./leases.ts";
import type { TaskEntry } from "./model.ts";
import type { SchedulerState } from "./state.ts";
import { stopWaiting } from "./tasks.ts";

/** Delivers what has become deliverable since the last call. */
export function admitAll(state: SchedulerState, nowMs: number): void {
  if (state.admissible.size === 0) return;
  const context = admissionContext(state, nowMs);
  for (const namespace of state.admissible) {
    admit(namespace, context, (entry, place) => deliver(state, entry, place, nowMs));
  }
  state.admissible.clear();
}

export function admissionContext(state: SchedulerState, nowMs: number): AdmissionContext {
  return { limits: state.limits, nowMs, recoveryEndsAtMs: state.recoveryEndsAtMs };
}

function deliver(state: SchedulerState, entry: TaskEntry, { worker, capability }: Place, nowMs: number): void {
  stopWaiting(state, entry);
  const lease = grantLease(state, entry, worker, { token: state.tokens.next(), startedAtMs: nowMs, capability, nowMs });
  worker.outbox.leases.push(lease);
  state.filled.add(worker.outbox);
  state.counters.dispatched += 1;
}
