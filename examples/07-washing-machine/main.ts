import { runExample } from "@heddle/example-starter";

/** Events, and the state that it has to reach by itself before the next one. */
const SCRIPT: { event: string; reaches?: string }[] = [
  { event: "power.on" },
  { event: "start" },
  { event: "open" },
  { event: "water.full" },
  { event: "power.off" },
  { event: "power.on", reaches: "filling" },
  { event: "water.full", reaches: "beeped" },
  { event: "open" },
];

await runExample(async ({ client, output, publish, signal }) => {
  await publish(new URL("washer.yaml", import.meta.url));
  const { machineId } = await client.machines.create({ workflowId: "washer" });
  const steps: { event: string; states: string[]; handled: boolean }[] = [];
  const note = (event: string, states: string[], handled = true): void => {
    steps.push({ event, states, handled });
    output.print(`${event.padEnd(14)}${handled ? states.join(", ") : output.style.dim("nothing happens")}`);
  };
  for (const { event, reaches } of SCRIPT) {
    const { machine, handled } = await client.machines.send(machineId, event);
    note(event, machine.configuration, handled);
    if (reaches === undefined) continue;
    for await (const happened of client.machines.watch(machineId, { signal, afterSeq: machine.lastSeq })) {
      if (happened.type === "transition_taken" && happened.entered.includes(reaches)) break;
    }
    note("(time)", (await client.machines.get(machineId)).configuration);
  }
  const { context } = await client.machines.get(machineId);
  await client.machines.delete(machineId, "the laundry is done");
  output.result({ steps, tumbles: context?.["tumbles"] });
});
