import { createGrpcTransport, createServer } from "@heddle/rpc";
import { createLogger } from "@heddle/telemetry";
import { expect, it } from "vitest";
import { createWorker } from "../src/index.ts";
import { createFakeScheduler, makeTask, outputOf } from "./fake-scheduler.ts";
import { runWorkerSuite } from "./worker-suite.ts";

const logger = createLogger({ name: "test", level: "silent" });

runWorkerSuite("gRPC", async ({ routes }) => {
  const server = createServer({ routes, logger });
  const { url } = await server.listen();
  const transport = createGrpcTransport(url);
  return {
    transport,
    async close() {
      transport.close();
      await server.close({ drainMs: 0 });
    },
  };
});

it("waits for a server that is not there yet, and for one that comes back after a crash", async () => {
  const scheduler = createFakeScheduler({ onResults: () => {} });
  const first = createServer({ routes: scheduler.routes, logger });
  const { url, port } = await first.listen();
  await first.close({ drainMs: 0 });

  const worker = createWorker({
    address: url,
    logger,
    handlers: { echo: (input) => input },
    limits: { reconnectMaxMs: 50 },
  });
  const started = worker.start();
  const second = createServer({ routes: scheduler.routes, logger, port });
  await second.listen();
  await started;
  const stream = await scheduler.stream(1);
  stream.deliver(makeTask("echo", "before"));
  await expect.poll(() => stream.results.map(outputOf)).toEqual(["before"]);

  await second.close({ drainMs: 0 });
  const third = createServer({ routes: scheduler.routes, logger, port });
  await third.listen();
  const again = await scheduler.stream(2);
  again.deliver(makeTask("echo", "after"));
  await expect.poll(() => again.results.map(outputOf), { timeout: 10_000 }).toEqual(["after"]);

  await worker.stop();
  await third.close();
});
