import type { MachineEvent, MachineParent, MachineState } from "@heddle/statechart";

/** What an end says beside what the core decided: whoever reacts to it need not have seen the creation. */
export interface EndedMachine {
  namespace: string;
  workflowId: string;
  key: string;
  parent?: MachineParent;
}

type End = Extract<MachineEvent, { type: "machine_finished" | "machine_failed" | "machine_deleted" }>;

const named = new WeakMap<End, EndedMachine>();

/** Remembers for the ends among these events which machine they are of, until they are encoded. */
export function nameWhatEnded(events: readonly MachineEvent[], state: MachineState): void {
  for (const event of events) {
    if (!isEnd(event)) continue;
    const { namespace, workflowId, key, parent } = state;
    named.set(event, { namespace, workflowId, key, ...(parent !== undefined && { parent }) });
  }
}

/** Undefined for an end that was read from a journal: what is encoded was decided in this process. */
export function whatEnded(event: End): EndedMachine | undefined {
  return named.get(event);
}

function isEnd(event: MachineEvent): event is End {
  return event.type === "machine_finished" || event.type === "machine_failed" || event.type === "machine_deleted";
}
