import { runExample, startLocalService } from "@heddle/example-starter";

const PAGES = 500;
const CULPRIT = { page: 311, entry: "disk 7 is full" };

// A log of 500 pages, served as such a thing is.
const service = await startLocalService((_request, url) => {
  const page = Number(url.searchParams.get("page"));
  const entries = [`page ${page} begins`, ...(page === CULPRIT.page ? [CULPRIT.entry] : [])];
  return { status: 200, body: { entries, next: page < PAGES ? page + 1 : null } };
});

try {
  await runExample(
    async ({ client, output, publish, signal }) => {
      await publish(new URL("search-log.yaml", import.meta.url));
      const { executionId } = await client.start({
        workflowId: "search-log",
        input: { url: `${service.url}/log`, text: "is full" },
      });
      const result = (await client.result(executionId, { signal, timeoutMs: 120_000 })) as {
        found: string | null;
        pages: number;
      };
      output.print(`"${result.found}" on page ${result.pages} of ${PAGES}`);
      output.print(output.style.dim(`heddle get ${executionId}`));
      output.result(result);
    },
    { env: { HEDDLE_HTTP_ALLOW: service.allow } },
  );
} finally {
  await service.close();
}
