import { runExample } from "@heddle/example-starter";
import type { Client, JsonObject } from "@heddle/sdk";

interface Order {
  what: string;
  context: JsonObject;
  events: [name: string, data?: JsonObject][];
}

const PAID: Order["events"] = [["pay", { amount: 40 }]];
const ORDERS: Order[] = [
  {
    what: "bought and kept",
    context: { return_within: "200ms" },
    events: [["pay", { amount: 15 }], ["pay", { amount: 25 }], ["ship"], ["delivered"]],
  },
  { what: "never paid", context: { pay_within: "3s" }, events: [["pay", { amount: 10 }]] },
  { what: "lost by the carrier", context: { deliver_within: "250ms" }, events: [...PAID, ["ship"]] },
  {
    what: "sent back",
    context: {},
    events: [...PAID, ["ship"], ["delivered"], ["return", { reason: "too small" }], ["received"]],
  },
];

await runExample(async ({ client, output, publish, signal }) => {
  await publish(new URL("order.yaml", import.meta.url));
  const ended = await Promise.all(ORDERS.map((order) => live(client, order, signal)));
  output.table(ended, [
    { title: "ORDER", cell: ({ what }) => what },
    { title: "ITS WAY", cell: ({ way }) => way.join(" → ") },
    { title: "PAID", cell: ({ paid }) => String(paid), align: "right" },
    { title: "REASON", cell: ({ reason }) => reason },
  ]);
  const refusal = await shipTooEarly(client);
  output.print();
  output.print(`shipping before it is paid: ${output.style.yellow(refusal)}`);
  output.result({ ended, refusal });
});

/** Creates an order, sends it its events, and follows it to its end, which a timer may bring. */
async function live(client: Client, { what, context, events }: Order, signal: AbortSignal) {
  const { machineId } = await client.machines.create({ workflowId: "shop-order", context: { total: 40, ...context } });
  for (const [event, data] of events) await client.machines.send(machineId, event, data);
  const way: string[] = [];
  for await (const event of client.machines.watch(machineId, { signal })) {
    if (event.type === "transition_taken") way.push(...event.entered);
  }
  const machine = await client.machines.get(machineId);
  return { what, way, ...(machine.output as { paid: number; reason: string }) };
}

async function shipTooEarly(client: Client): Promise<string> {
  const { machineId } = await client.machines.create({ workflowId: "shop-order", context: { total: 40 } });
  try {
    await client.machines.send(machineId, "ship");
    return "taken";
  } catch (error) {
    return (error as Error).message.replace(machineId, "…");
  } finally {
    await client.machines.delete(machineId, "only a trial");
  }
}
