import { runProcess } from "@heddle/service-process";
import { workerConfig } from "./config.ts";
import { createWorkerService } from "./service.ts";
import { registerWorkerMetrics } from "./worker-metrics.ts";

/** What closing takes beside the tasks that finish. */
const CLOSING_MS = 5_000;

await runProcess({
  name: "worker",
  config: workerConfig,
  compose({ config, logger, metrics, tls }) {
    const worker = createWorkerService({ logger, config, tls });
    registerWorkerMetrics(metrics, () => worker.stats);
    return {
      // No RPCs: the port is for probes and Prometheus.
      routes: () => {},
      start: () => worker.start(),
      stop: () => worker.stop(),
      stopTimeoutMs: config.HEDDLE_WORKER_DRAIN + CLOSING_MS,
    };
  },
});
