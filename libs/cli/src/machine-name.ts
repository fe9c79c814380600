import type { CommandContext } from "./context.ts";

/** How a request names a machine: by its id, or by its definition and key. */
interface MachineReference {
  machineId?: string;
  namespace?: string;
  workflowId?: string;
  key?: string;
}

/** `<id>`, or `<workflow>/<key>`: ids have no slash, and keys may have more of them. */
export function machineName({ namespace }: Pick<CommandContext, "namespace">, name: string): MachineReference {
  const slash = name.indexOf("/");
  if (slash < 0) return { machineId: name };
  return { namespace, workflowId: name.slice(0, slash), key: name.slice(slash + 1) };
}

/** The id, for calls that take nothing else. */
export async function findMachineId(context: CommandContext, name: string): Promise<string> {
  const reference = machineName(context, name);
  if (reference.machineId !== undefined) return reference.machineId;
  const { machines } = await context.client();
  const { machine } = await machines.getMachine(reference, { signal: context.io.signal });
  if (machine === undefined) throw new Error("the server answered GetMachine without a machine");
  return machine.machineId;
}
