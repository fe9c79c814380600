import { closeOnSignal } from "@heddle/rpc";
import { DomainError } from "@heddle/errors";
import { createLogger, createMetrics } from "@heddle/telemetry";
import { devConfig } from "./config.ts";
import { startSuite } from "./suite.ts";

// All services in one process: `node deploy/dev/main.ts`, or `heddle dev`.
try {
  const config = devConfig.parse(process.env);
  const logger = createLogger({ name: "heddle", level: config.HEDDLE_LOG_LEVEL });
  const suite = await startSuite(config, logger, createMetrics(), (error) => {
    console.error(`heddle: ${error.message}`);
    process.exit(1);
  });
  closeOnSignal({ close: () => suite.stop(), logger });
  if (suite.portTaken) console.log(`port ${config.HEDDLE_PORT} is taken; another one is used`);
  // Programs that start this process wait for this line.
  console.log(
    `heddle is ready at ${suite.url} (data in ${config.DATABASE_URL ? "DATABASE_URL" : config.HEDDLE_DATA_DIR}); end it with Ctrl-C`,
  );
} catch (error) {
  console.error(isCircumstance(error) ? `heddle: ${error.message}` : error);
  process.exit(1);
}

/** Whether the error is about what the suite was started with. A stack helps only with the others, which are defects. */
function isCircumstance(error: unknown): error is Error {
  return error instanceof DomainError || (error instanceof Error && "syscall" in error);
}
