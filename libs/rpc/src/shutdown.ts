import type { Logger } from "@heddle/telemetry";

export interface ShutdownOptions {
  /** Ends everything in the right order; called once. */
  close: () => Promise<void>;
  logger: Logger;
  /** After this long the process ends with code 1 whatever still hangs. Default 30 s. */
  timeoutMs?: number;
}

/**
 * SIGTERM and SIGINT end the process in order: `close()`, then exit code 0; 1 when `close` fails or takes too long.
 * A second signal ends it at once with code 1, for the person who is tired of waiting.
 */
export function closeOnSignal({ close, logger, timeoutMs = 30_000 }: ShutdownOptions): void {
  let closing = false;
  const onSignal = (signal: NodeJS.Signals) => {
    if (closing) process.exit(1);
    closing = true;
    logger.info({ signal }, "shutting down");
    setTimeout(() => {
      logger.error({ timeoutMs }, "shutdown took too long; ending at once");
      process.exit(1);
    }, timeoutMs).unref();
    close().then(
      () => process.exit(0),
      (err: unknown) => {
        logger.error({ err }, "shutdown failed");
        process.exit(1);
      },
    );
  };
  process.on("SIGTERM", onSignal);
  process.on("SIGINT", onSignal);
}
