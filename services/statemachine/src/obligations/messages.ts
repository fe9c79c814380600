import type { JournalRuntime } from "@heddle/journal";
import type { Failure } from "@heddle/engine";
import { atHome, isFinal, PartitionElsewhereError } from "@heddle/errors";
import type { Message } from "@heddle/statechart";
import type { Machine, MachineCommand } from "../domain/aggregate.ts";
import { failureOf } from "./outcome.ts";
import type { Delivery, Outside } from "./outside.ts";

type Runtime = Pick<JournalRuntime<Machine, MachineCommand>, "read" | "submit">;

/** Where a message goes, as a text: those to one receiver are delivered in order, and hold up no others. */
export function laneOf({ target }: Message): string {
  switch (target.kind) {
    case "parent":
      return "parent";
    case "invocation":
      return `invocation/${target.token}`;
    case "machine":
      return `machine/${target.machineId ?? `${target.workflowId ?? ""}/${target.key ?? ""}`}`;
    case "execution":
      return `execution/${target.executionId}`;
  }
}

/**
 * Delivers what a machine has in a lane, in order. False when the receiver cannot take it yet.
 * @throws what a receiver that may take it later has answered
 */
export async function deliverLane(
  runtime: Runtime,
  outside: Outside,
  machineId: string,
  lane: string,
): Promise<boolean> {
  for (;;) {
    try {
      const machine = await atHome(runtime.read(machineId));
      const message = machine?.state.messages.find((waiting) => laneOf(waiting) === lane);
      if (machine === undefined || message === undefined) return true;
      const outcome = await deliver(outside, machineId, machine, message);
      if (outcome === "later") return false;
      const failure = outcome === "taken" ? {} : { failure: outcome };
      await atHome(runtime.submit(machineId, { type: "acknowledge_message", messageId: message.id, ...failure }));
    } catch (error) {
      // Whoever owns the partition now derives the obligation anew.
      if (error instanceof PartitionElsewhereError) return true;
      throw error;
    }
  }
}

async function deliver(
  outside: Outside,
  machineId: string,
  machine: Machine,
  message: Message,
): Promise<"taken" | "later" | Failure> {
  const { id, name, data } = message;
  const delivery: Delivery = { name, data, requestId: `${machineId}/m/${id}` };
  const receiver = findReceiver(machine, message);
  if (receiver === "later" || "type" in receiver) return receiver;
  try {
    if ("executionId" in receiver) await outside.signalExecution(receiver.executionId, delivery);
    else await outside.sendEvent(receiver, delivery);
    return "taken";
  } catch (error) {
    if (isFinal(error)) return failureOf(error);
    throw error;
  }
}

type Receiver = Parameters<Outside["sendEvent"]>[0] | { executionId: string };

/** A failure when there is nobody to take the message, and never will be. */
function findReceiver({ state }: Machine, { target }: Message): Receiver | "later" | Failure {
  switch (target.kind) {
    case "parent":
      if (state.parent === undefined) return { type: "no_parent", message: "nobody has invoked this machine" };
      return state.parent.kind === "machine" ? { machineId: state.parent.id } : { executionId: state.parent.id };
    case "invocation": {
      const running = state.invocations.find(({ token }) => token === target.token);
      if (running === undefined) {
        return { type: "not_running", message: `invocation ${target.invokeId} has ended before it took the event` };
      }
      if (running.startedId === undefined) return "later";
      return running.kind === "machine" ? { machineId: running.startedId } : { executionId: running.startedId };
    }
    case "machine":
      if (target.machineId !== undefined) return { machineId: target.machineId };
      return {
        namespace: state.namespace,
        workflowId: target.workflowId ?? state.workflowId,
        key: target.key ?? "",
      };
    case "execution":
      return { executionId: target.executionId };
  }
}
