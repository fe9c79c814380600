import { readFile } from "node:fs/promises";
import { runExample, startLocalService } from "@heddle/example-starter";

interface BlockSummary {
  block: string;
  count: number;
  prepared: number;
  periods: number[];
  heaviest: { symbol: string; weight: number }[];
  lightest: { symbol: string; weight: number };
}

interface Report {
  elements: number;
  weighed: number;
  liquids: string[];
  blocks: BlockSummary[];
}

// The data comes over HTTP, as it would in earnest.
const data: unknown = JSON.parse(await readFile(new URL("data/elements.json", import.meta.url), "utf8"));
const service = await startLocalService(() => ({ status: 200, body: data }));

try {
  await runExample(
    async ({ client, output, publish, signal }) => {
      // The sub-workflow first: the pipeline names it.
      await publish(new URL("block-summary.yaml", import.meta.url));
      await publish(new URL("pipeline.yaml", import.meta.url));
      const { executionId } = await client.start({
        workflowId: "element-report",
        input: { url: `${service.url}/elements.json` },
      });
      const report = (await client.result(executionId, { signal, timeoutMs: 60_000 })) as unknown as Report;
      output.print(output.style.bold(`${report.elements} elements, ${report.weighed} with a standard atomic weight`));
      output.print(`liquid at room temperature: ${report.liquids.join(", ")}`);
      output.print();
      output.table(report.blocks, [
        { title: "BLOCK", cell: ({ block }) => block },
        { title: "ELEMENTS", cell: ({ count }) => String(count), align: "right" },
        { title: "PREPARED", cell: ({ prepared }) => String(prepared), align: "right" },
        { title: "PERIODS", cell: ({ periods }) => `${periods[0]}-${periods.at(-1)}`, align: "right" },
        { title: "LIGHTEST", cell: ({ lightest }) => `${lightest.symbol} ${lightest.weight}` },
        {
          title: "HEAVIEST",
          cell: ({ heaviest }) => heaviest.map(({ symbol, weight }) => `${symbol} ${weight}`).join(", "),
        },
      ]);
      output.print();
      output.print(output.style.dim(`heddle get ${executionId}`));
      output.result(report);
    },
    { env: { HEDDLE_HTTP_ALLOW: service.allow } },
  );
} finally {
  await service.close();
}
