import type { JournalRuntime } from "@heddle/journal";
import { type InvocationObligation, obligations } from "@heddle/statechart";
import type { Logger } from "@heddle/telemetry";
import type { Machine, MachineCommand } from "../domain/aggregate.ts";
import { createInvocations } from "./invocations.ts";
import { createJobs } from "./jobs.ts";
import { deliverLane, laneOf } from "./messages.ts";
import type { Outside } from "./outside.ts";

/** Does outside what machines ask for. Everything is derived from committed state, so a crash forgets nothing. */
export interface Outbox {
  /** To be called with the state after each commit, before the next await. */
  update(id: string, machine: Machine): void;
  /** After recovery or a resume: also looks whether what runs has ended meanwhile. */
  recover(id: string, machine: Machine): void;
  stop(): void;
  /** What is under way. */
  readonly size: number;
}

export interface OutboxOptions {
  runtime(): Pick<JournalRuntime<Machine, MachineCommand>, "read" | "submit">;
  outside: Outside;
  logger: Logger;
  /** Before something is started whose end is told by the bus. */
  onInvoking(): void;
}

export function createOutbox({ runtime, outside, logger, onInvoking }: OutboxOptions): Outbox {
  const jobs = createJobs(logger);
  const invocations = createInvocations(runtime, outside);

  const update: Outbox["update"] = (id, { chart, state }) => {
    if (state.invocations.length === 0 && state.cancellations.length === 0 && state.messages.length === 0) return;
    const owed = obligations(chart, state, id);
    if (owed.invocations.length > 0) onInvoking();
    for (const { key, token } of [...owed.invocations.filter(isToStart), ...owed.cancellations]) {
      jobs.run(`settle ${key}`, () => invocations.settle(id, token));
    }
    for (const lane of new Set(owed.messages.map(laneOf))) {
      jobs.run(`send ${id} ${lane}`, () => deliverLane(runtime(), outside, id, lane));
    }
  };

  return {
    update,
    recover(id, machine) {
      update(id, machine);
      const { chart, state } = machine;
      for (const { key, token, startedId } of obligations(chart, state, id).invocations) {
        if (startedId !== undefined) jobs.run(`audit ${key}`, () => invocations.audit(id, token));
      }
    },
    stop: jobs.stop,
    get size() {
      return jobs.size;
    },
  };
}

function isToStart({ startedId }: InvocationObligation): boolean {
  return startedId === undefined;
}
