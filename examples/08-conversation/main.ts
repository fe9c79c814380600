import { runExample } from "@heddle/example-starter";

const GUEST = ["Hello, have you a table tonight?", "We are four.", "Yes, please!"];

await runExample(async ({ client, output, publish, signal }) => {
  await publish(new URL("conversation.yaml", import.meta.url));
  const { machines } = client;
  const booking = await machines.create({ workflowId: "conversation" });
  const silent = await machines.create({ workflowId: "conversation", context: { quiet_after: "200ms" } });
  // All at once: what comes while the agent thinks waits in the machine.
  for (const text of GUEST) await machines.send(booking.machineId, "message", { text });
  const ends = await Promise.all(
    [booking, silent].map(async ({ machineId }) => {
      for await (const event of machines.watch(machineId, { signal })) {
        if (event.type === "event_queued") output.print(output.style.dim(`(waits: ${JSON.stringify(event.data)})`));
      }
      const { configuration, output: said } = await machines.get(machineId);
      return { end: configuration[0], ...(said as { people: number; transcript: string[] }) };
    }),
  );
  for (const { end, transcript } of ends) {
    output.print();
    for (const line of transcript) output.print(line);
    output.print(output.style.bold(String(end)));
  }
  output.result(ends);
});
