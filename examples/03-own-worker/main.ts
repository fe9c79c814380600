import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { runExample } from "@heddle/example-starter";

const ORDERS = [
  { what: "a card that works, at a busy gateway", photos: 40, card: "4242" },
  { what: "a card that the bank declines", photos: 10, card: "declined" },
  { what: "an order that is canceled while it is scanned", photos: 100_000, card: "4242" },
];

await runExample(async ({ client, workerEnv, output, publish, signal }) => {
  await publish(new URL("order.yaml", import.meta.url));
  const worker = startWorker(workerEnv, (line) => output.print(output.style.dim(`  worker: ${line}`)));
  try {
    await worker.saw("worker is ready");
    const started = await Promise.all(
      ORDERS.map(({ photos, card }) => client.start({ workflowId: "print-order", input: { photos, card } })),
    );
    const toCancel = started[2]?.executionId ?? "";
    await worker.saw(`${toCancel} scan: begins`);
    await client.cancel(toCancel, "the customer changed her mind");
    const ended = await Promise.all(started.map(({ executionId }) => client.wait(executionId, { signal })));
    await worker.saw(`${toCancel} scan: stopped`);
    output.print();
    output.table(ended, [
      { title: "ORDER", cell: (execution) => ORDERS[ended.indexOf(execution)]?.what ?? "" },
      { title: "STATUS", cell: ({ status }) => status },
      {
        title: "ATTEMPTS TO CHARGE",
        cell: ({ nodes }) => String(nodes.find(({ nodeId }) => nodeId === "charge")?.attempt ?? 0),
        align: "right",
      },
      {
        title: "RESULT",
        cell: ({ output: result, failure }) =>
          failure ? `${failure.type}: ${failure.message}` : result ? String((result as { text: string }).text) : "",
      },
    ]);
    output.result(ended.map(({ status, nodes, failure }) => ({ status, failure, nodes })));
  } finally {
    await worker.stop();
  }
});

/** The worker in a process of its own, whose lines are shown. */
function startWorker(env: Record<string, string>, onLine: (line: string) => void) {
  const child: ChildProcess = spawn(process.execPath, [fileURLToPath(new URL("worker.ts", import.meta.url))], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  const seen: string[] = [];
  const waiting = new Set<() => void>();
  createInterface({ input: child.stdout as NodeJS.ReadableStream }).on("line", (line) => {
    seen.push(line);
    // The worker's log is JSON, line by line; what its handlers print is not.
    if (!line.startsWith("{")) onLine(line);
    for (const check of waiting) check();
  });
  return {
    saw: (text: string): Promise<void> =>
      new Promise((resolve, reject) => {
        const check = (): void => {
          if (!seen.some((line) => line.includes(text))) return;
          waiting.delete(check);
          resolve();
        };
        waiting.add(check);
        check();
        void exited.then(() => reject(new Error(`the worker ended before it said "${text}"`)));
      }),
    async stop(): Promise<void> {
      child.kill("SIGTERM");
      await exited;
    },
  };
}
