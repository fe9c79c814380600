import { isObject, type JsonObject } from "@heddle/engine";
import { isFinal } from "@heddle/errors";
import type { JournalRuntime } from "@heddle/journal";
import { hasMoved } from "@heddle/rpc";
import { type CancellationObligation, type InvocationObligation, obligations } from "@heddle/statechart";
import type { Machine, MachineCommand } from "../domain/aggregate.ts";
import { type End, endOfExecution, endOfMachine } from "./end-of.ts";
import { failureOf, hasReason } from "./outcome.ts";
import type { Outside, Run } from "./outside.ts";

type Runtime = Pick<JournalRuntime<Machine, MachineCommand>, "read" | "submit">;

/** One attempt each; true when it is done, or not to be done any more. */
export interface Invocations {
  /** Starts a run that is not known to have begun; stops one whose state was left. */
  settle(machineId: string, token: number): Promise<boolean>;
  /** Looks whether one that runs has ended unheard: its end may have come while the machine took none. */
  audit(machineId: string, token: number): Promise<boolean>;
}

export function createInvocations(runtime: () => Runtime, outside: Outside): Invocations {
  /** What the machine owes now; undefined when it does not any more, or when another process knows. */
  const find = async <T>(
    machineId: string,
    pick: (machine: Machine) => T | undefined,
  ): Promise<{ machine: Machine; owed: T } | undefined> => {
    try {
      const machine = await runtime().read(machineId);
      const owed = machine && pick(machine);
      return machine && owed && { machine, owed };
    } catch (error) {
      // Whoever owns the partition now derives the obligation anew.
      if (hasMoved(error)) return undefined;
      throw error;
    }
  };

  /** A refusal means that the machine waits no longer, or that somebody else has told it. */
  const tell = async (machineId: string, command: MachineCommand): Promise<void> => {
    try {
      await runtime().submit(machineId, command);
    } catch (error) {
      if (!hasMoved(error) && !hasReason(error, "INVOCATION_NOT_RUNNING", "MACHINE_FINISHED")) throw error;
    }
  };

  const tellEnd = (machineId: string, { invokeId, token }: { invokeId: string; token: number }, end: End) =>
    tell(
      machineId,
      "output" in end
        ? { type: "complete_invocation", invokeId, token, output: end.output }
        : { type: "fail_invocation", invokeId, token, failure: end.failure },
    );

  /** Starts it, or finds what an earlier attempt has started; says so, and how it ended if it has already. */
  const begin = async (machineId: string, machine: Machine, owed: InvocationObligation): Promise<string> => {
    const run: Run = { machineId, ...owed };
    const input = inputOf(owed);
    const { id, end } = await startOutside(outside, machine, owed, input, run);
    await tell(machineId, { type: "acknowledge_invocation", token: owed.token, startedId: id });
    if (end !== undefined) await tellEnd(machineId, owed, end);
    return id;
  };

  const start = async (
    machineId: string,
    { machine, owed }: { machine: Machine; owed: InvocationObligation },
  ): Promise<boolean> => {
    try {
      await begin(machineId, machine, owed);
    } catch (error) {
      if (!isFinal(error)) throw error;
      await tellEnd(machineId, owed, { failure: failureOf(error) });
    }
    return true;
  };

  const cancel = async (
    machineId: string,
    { machine, owed }: { machine: Machine; owed: CancellationObligation },
  ): Promise<boolean> => {
    const id = owed.startedId ?? (await findStarted(machineId, machine, owed));
    if (id !== undefined) {
      const reason = `machine ${machineId} has left the state that invoked it`;
      if (owed.kind === "machine") await outside.deleteMachine(id, reason);
      else await outside.cancelExecution(id, reason);
    }
    await tell(machineId, { type: "acknowledge_cancellation", token: owed.token });
    return true;
  };

  return {
    async settle(machineId, token) {
      const running = await find(machineId, (machine) => runningOf(machineId, machine, token));
      if (running !== undefined) return running.owed.startedId !== undefined || start(machineId, running);
      const canceled = await find(machineId, (machine) => canceledOf(machineId, machine, token));
      return canceled === undefined || cancel(machineId, canceled);
    },

    async audit(machineId, token) {
      const found = await find(machineId, (machine) => runningOf(machineId, machine, token));
      const id = found?.owed.startedId;
      if (found === undefined || id === undefined) return true;
      const { definition } = found.owed;
      const end =
        definition.kind === "machine"
          ? await outside.findMachine(id).then((other) => other && endOfMachine(other))
          : await outside.findExecution(id).then((execution) => execution && endOfExecution(execution));
      if (end !== undefined) await tellEnd(machineId, found.owed, end);
      return true;
    },
  };

  /**
   * The state was left before anybody knew under which id the invocation runs. Starting it again, with the same key, gives
   * that id: of what runs already, or of something that is stopped before it has done much.
   */
  async function findStarted(machineId: string, machine: Machine, owed: CancellationObligation) {
    const invocation = machine.state.cancellations.find(({ token }) => token === owed.token);
    const linked = machine.chart.states.find(({ id }) => id === invocation?.state);
    const definition = linked?.invocations.find(({ id }) => id === owed.invokeId)?.definition;
    if (invocation === undefined || definition === undefined) return undefined;
    const { labels } = machine.state;
    try {
      return await begin(machineId, machine, { ...owed, definition, labels, input: invocation.input });
    } catch (error) {
      if (isFinal(error)) return undefined;
      throw error;
    }
  }
}

function runningOf(machineId: string, { chart, state }: Machine, token: number): InvocationObligation | undefined {
  return obligations(chart, state, machineId).invocations.find((owed) => owed.token === token);
}

function canceledOf(machineId: string, { chart, state }: Machine, token: number): CancellationObligation | undefined {
  return obligations(chart, state, machineId).cancellations.find((owed) => owed.token === token);
}

/** What starts others takes objects: another value stands under a name. */
function inputOf({ input }: InvocationObligation): JsonObject {
  return isObject(input) ? input : { value: input };
}

async function startOutside(
  outside: Outside,
  { state }: Machine,
  { definition, invokeId, labels }: InvocationObligation,
  input: JsonObject,
  run: Run,
): Promise<{ id: string; end: End | undefined }> {
  const { namespace, workflowId, version } = state;
  const { kind, name } = definition;
  if (kind === "machine") {
    const target = { namespace, workflowId: name, version: definition.version ?? 0, labels };
    const machine = await outside.createMachine(target, input, run);
    return { id: machine.machineId, end: endOfMachine(machine) };
  }
  const target =
    kind === "workflow"
      ? { namespace, workflowId: name, version: definition.version ?? 0, labels }
      : // One step with a plan of its own, which is a part of the machine's version.
        { namespace, workflowId: `${workflowId}.${invokeId}`, version, labels };
  const execution = await outside.startExecution(target, input, run);
  return { id: execution.executionId, end: endOfExecution(execution) };
}
