import { runExample } from "@heddle/example-starter";

await runExample(async ({ client, output, publish, signal }) => {
  await publish(new URL("hello.yaml", import.meta.url));
  const { executionId } = await client.start({ workflowId: "hello", input: { names: ["Grace", "Ada", "Alan"] } });
  for await (const event of client.watch(executionId, { signal })) {
    const { type } = event;
    const node = "nodeId" in event ? event.nodeId : "";
    output.print(`${String(event.seq).padStart(3)}  ${type.padEnd(22)} ${node}`.trimEnd());
  }
  output.print();
  const result = await client.result(executionId);
  output.print(JSON.stringify(result, undefined, 2));
  output.result(result);
});
