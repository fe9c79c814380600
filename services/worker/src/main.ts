import { closeOnSignal, createServer } from "@heddle/rpc";
import { createLogger, createMetrics } from "@heddle/telemetry";
import { readConfig, reportConfig } from "./config.ts";
import { createWorkerService } from "./service.ts";
import { registerWorkerMetrics } from "./worker-metrics.ts";

// The built-in worker as a process of its own. `main.ts check-config` prints every setting and ends.
try {
  if (process.argv[2] === "check-config") console.log(reportConfig());
  const config = readConfig();
  if (process.argv[2] === "check-config") process.exit(0);
  const logger = createLogger({ name: "worker", level: config.HEDDLE_LOG_LEVEL });
  const metrics = createMetrics();
  const worker = createWorkerService({ logger, config });
  registerWorkerMetrics(metrics, () => worker.stats);
  // No RPCs: the port is for probes and Prometheus.
  const { HEDDLE_WORKER_HOST: host, HEDDLE_WORKER_PORT: port } = config;
  const server = createServer({ routes: () => {}, logger, metrics, host, port });
  const { url } = await server.listen();
  closeOnSignal({
    logger,
    timeoutMs: config.HEDDLE_WORKER_DRAIN + 5_000,
    async close() {
      await worker.stop();
      await server.close();
    },
  });
  logger.info({ url, scheduler: config.HEDDLE_ADDRESS }, "worker is starting");
  await worker.start();
} catch (error) {
  console.error(`worker: ${(error as Error).message}`);
  process.exit(1);
}
