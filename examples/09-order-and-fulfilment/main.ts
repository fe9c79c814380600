import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { runExample } from "@heddle/example-starter";
import type { Client } from "@heddle/sdk";

const WORKFLOW = "order-with-fulfilment";

await runExample(async ({ client, output, publish, signal }) => {
  for (const file of ["fulfil-order.yaml", "order.yaml", "sell.yaml"]) await publish(new URL(file, import.meta.url));

  // A workflow waits for a machine, which waits for a workflow.
  const key = `order-${randomUUID().slice(0, 8)}`;
  const selling = await client.start({ workflowId: "sell", input: { key, items: ["cup", "pot"] } });
  const fulfilment = await startedBy(client, { workflowId: WORKFLOW, key }, signal);
  await client.machines.send({ workflowId: WORKFLOW, key }, "collected", { carrier: "DHL" });
  const sold = await client.result(selling.executionId, { signal });
  const { machineId } = await client.machines.get({ workflowId: WORKFLOW, key });
  output.print(`sell ${selling.executionId}`);
  output.print(`└ order ${key} ${machineId}`);
  output.print(`  └ fulfilment ${fulfilment}`);
  output.print(JSON.stringify(sold));

  // An order that is canceled takes its fulfilment with it.
  const canceled = await client.machines.create({ workflowId: WORKFLOW, context: { items: ["vase"] } });
  await client.machines.send(canceled.machineId, "pay");
  const given = await startedBy(client, canceled.machineId, signal);
  await client.machines.send(canceled.machineId, "cancel");
  const { status } = await client.wait(given, { signal });
  output.print();
  output.print(`the fulfilment of a canceled order: ${output.style.yellow(status)}`);
  output.print(output.style.dim(`heddle machine history ${machineId} --with-executions`));
  output.result({ sold, canceled: status });
});

/** The execution that the state of a machine has invoked, once there is one. */
async function startedBy(
  client: Client,
  machine: Parameters<Client["machines"]["get"]>[0],
  signal: AbortSignal,
): Promise<string> {
  for (;;) {
    const found = await client.machines.get(machine).catch((error: { reason?: string }) => {
      // The workflow has not come to it yet.
      if (error.reason === "MACHINE_NOT_FOUND") return undefined;
      throw error;
    });
    const startedId = found?.invocations[0]?.startedId ?? "";
    if (startedId !== "") return startedId;
    await sleep(50, undefined, { signal });
  }
}
