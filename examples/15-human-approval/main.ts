import { runExample } from "@heddle/example-starter";

/** Longer than anybody here takes to answer. */
const PATIENT = "1h";

await runExample(async ({ client, output, publish, signal }) => {
  await publish(new URL("human-approval.yaml", import.meta.url));
  const { tasks } = client;
  const ask = async (customer: string, amount: number, supportWithin: string, managersWithin: string) => {
    const input = { customer, amount, support_within: supportWithin, managers_within: managersWithin };
    return (await client.start({ workflowId: "refund", input })).executionId;
  };
  const kim = await ask("kim", 40, PATIENT, PATIENT);
  const lou = await ask("lou", 900, "300ms", PATIENT);
  const max = await ask("max", 5, "200ms", "200ms");

  // Support takes one, and mends what is to be paid.
  const first = `${kim}/approve`;
  await tasks.claim(first, { user: "ann" });
  await tasks.comment(first, { user: "ann", text: "the cup was only chipped" });
  const late = tasks.complete(first, { user: "bob", answer: { approved: true } });
  output.print(output.style.dim(await late.then(String, ({ message }: Error) => message)));
  await tasks.complete(first, {
    user: "ann",
    answer: { approved: true, reason: "half of it" },
    values: { to: "kim", amount: 20 },
  });

  // Nobody in support answers the second, so that the managers are asked. The third waits in vain.
  await until(async () => (await tasks.get(`${lou}/approve`)).escalations === 1, signal);
  await tasks.reassign(`${lou}/approve`, { user: "eve", assignee: "eve" });
  await tasks.complete(`${lou}/approve`, { user: "eve", answer: { approved: true, reason: "a good customer" } });

  const results = await Promise.all([kim, lou, max].map((id) => client.result(id, { signal })));
  for (const result of results) output.print(JSON.stringify(result));
  output.result(results);
});

async function until(isSo: () => Promise<boolean>, signal: AbortSignal): Promise<void> {
  while (!(await isSo())) {
    signal.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
