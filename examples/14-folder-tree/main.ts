import { runExample, startLocalService } from "@heddle/example-starter";

const DEPTH = 6;

// Every folder has two in it, down to the sixth level, and a file of 100 bytes.
const service = await startLocalService((_request, url) => {
  const depth = url.pathname.split("/").length - 2;
  return { status: 200, body: { bytes: 100, folders: depth < DEPTH ? ["left", "right"] : [] } };
});

try {
  await runExample(
    async ({ client, output, publish, signal }) => {
      await publish(new URL("folder-size.yaml", import.meta.url));
      const { executionId } = await client.start({ workflowId: "folder-size", input: { url: service.url, path: "/" } });
      const result = (await client.result(executionId, { signal, timeoutMs: 120_000 })) as {
        bytes: number;
        folders: number;
      };
      output.print(`${result.bytes} bytes in ${result.folders} folders`);
      output.print(output.style.dim(`heddle list --parent ${executionId}`));
      output.result(result);
    },
    { env: { HEDDLE_HTTP_ALLOW: service.allow } },
  );
} finally {
  await service.close();
}
