import { runExample } from "@heddle/example-starter";

const COUNT = 1_000;
/** Every fortieth is bad: 25 of 1,000, and 50 are tolerated. */
const BAD_EVERY = 40;

const addresses = Array.from({ length: COUNT }, (_, index) =>
  index % BAD_EVERY === BAD_EVERY - 1 ? `nobody-${index}` : `person-${index}@example.com`,
);

await runExample(async ({ client, output, publish, signal }) => {
  await publish(new URL("check-address.yaml", import.meta.url));
  await publish(new URL("survey.yaml", import.meta.url));
  const { executionId } = await client.start({ workflowId: "survey", input: { addresses } });
  const result = await client.result(executionId, { signal, timeoutMs: 120_000 });
  const { asked, good } = result as { asked: number; good: number };
  const failed = await client.listPage({ parentExecutionId: executionId, status: "failed", pageSize: 3 });
  output.print(`${asked} addresses, ${good} of them good`);
  for (const item of failed.items) output.print(`  ${item.parent?.nodeId}: ${item.failure?.message}`);
  output.print(output.style.dim(`heddle list --parent ${executionId} --status failed`));
  output.result({ ...(result as object), shown: failed.items.map(({ failure }) => failure?.type) });
});
