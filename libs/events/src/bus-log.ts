import type { Logger } from "@heddle/telemetry";
import type { Postponement } from "./lane.ts";

/** The part of a logger that the bus uses. */
export type BusLogger = Pick<Logger, "debug" | "info" | "warn" | "error">;

export const silentLogger: BusLogger = { debug: ignore, info: ignore, warn: ignore, error: ignore };

/** A long outage is worth a line when it begins and whenever it has lasted about twice as long. */
export function logPostponement(
  logger: BusLogger,
  lane: { group: string; topic: string; partition: number },
  { message, error, times }: Postponement,
): void {
  const isPowerOfTwo = (times & (times - 1)) === 0;
  if (!isPowerOfTwo) return;
  logger.warn(
    { ...lane, err: error, event: message.headers.ce_id, times },
    "what a group needs to handle an event is away; the event, and those behind it, wait until it is back",
  );
}

function ignore(): void {}
