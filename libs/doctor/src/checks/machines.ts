import type { StoredMachine, SuiteFacts } from "../facts.ts";
import { aboutMachine, type Finding } from "../finding.ts";
import type { Check } from "./check.ts";

export const machines: Check = {
  id: "machines",
  claim: "what a state machine has invoked exists and is waited for, and what it owes others is delivered",
  subject: "state machines that go on",
  remedy:
    "see the log of the statemachine service for what it cannot start, cancel or deliver, and whether the service that it asks answers; a restart asks again for everything. Delete an orphan with `heddle machine delete`",
  run(facts, report) {
    let looked = 0;
    for (const machine of facts.machines.values()) {
      // Nothing of a suspended one goes on before somebody resumes it.
      if (machine.suspended || (machine.ended && machine.owed.length === 0)) continue;
      looked += 1;
      for (const finding of findings(machine, facts)) report(finding);
    }
    return looked;
  },
};

const UNDONE = { start: "has not been started", cancel: "has not been canceled", message: "has not been delivered" };
const SUBJECT = { start: "invocation", cancel: "invocation", message: "message" };

function* findings(machine: StoredMachine, facts: SuiteFacts): Iterable<Finding> {
  const { machineId, owed, running, parentMachineId, ended } = machine;
  for (const { kind, name } of owed) {
    yield aboutMachine(machineId, `owes ${kind} ${name}`, `${SUBJECT[kind]} ${name} ${UNDONE[kind]}`);
  }
  for (const { invokeId, startedId, kind } of running) {
    const what = kind === "machine" ? "machine" : "execution";
    const state = kind === "machine" ? machineState(startedId, facts) : executionState(startedId, facts);
    if (state === "goes on") continue;
    const message = `its invocation ${invokeId} waits for ${what} ${startedId}, which ${state}`;
    const related = kind === "machine" ? { machineIds: [startedId] } : { executionIds: [startedId] };
    yield aboutMachine(machineId, `waits ${invokeId} ${startedId}`, message, related);
  }
  if (ended || parentMachineId === undefined) return;
  const parent = facts.machines.get(parentMachineId);
  const isWanted = parent !== undefined && (parent.suspended || isRelated(parent, machineId));
  if (isWanted) return;
  const why = parent === undefined ? "does not exist" : "neither waits for it nor cancels it";
  yield aboutMachine(machineId, "orphan", `is an orphan: machine ${parentMachineId}, which has invoked it, ${why}`, {
    machineIds: [parentMachineId],
  });
}

/** Waits for it, or is about to: what is being started or canceled is not told by id. */
function isRelated({ running, owed }: StoredMachine, machineId: string): boolean {
  return running.some(({ startedId }) => startedId === machineId) || owed.some(({ kind }) => kind !== "message");
}

type OutsideState = "goes on" | "does not exist" | "has ended, which it was not told";

function machineState(id: string, { machines: all }: SuiteFacts): OutsideState {
  const machine = all.get(id);
  if (machine === undefined) return "does not exist";
  return machine.ended ? "has ended, which it was not told" : "goes on";
}

function executionState(id: string, { stored, live }: SuiteFacts): OutsideState {
  const execution = live.get(id) ?? stored.get(id);
  if (execution === undefined) return "does not exist";
  return execution.ended ? "has ended, which it was not told" : "goes on";
}
