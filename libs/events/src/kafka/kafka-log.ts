import type { logCreator, LogEntry } from "kafkajs";
import type { BusLogger } from "../bus-log.ts";
import { kafkajs } from "./kafkajs.ts";

/** What a client of ours that is closed says to kafkajs. */
export const CLIENT_CLOSED = "this Kafka client is closed";

/** An outage makes kafkajs say the same several times a second. */
const REPEAT_AFTER_MS = 10_000;
const REMEMBERED_MESSAGES = 200;

/** What the bus does on purpose: it repeats by itself what kafkajs does not, and cuts connections when it closes. */
const KNOWN = ["Limiting retries for the idempotent producer", CLIENT_CLOSED];

/**
 * Passes on what kafkajs logs: its warnings and errors as warnings, since what is really lost or stuck the bus reports
 * itself; the same message at most every ten seconds; everything else as debug.
 */
export function createKafkaLogCreator(logger: BusLogger): logCreator {
  const saidAt = new Map<string, number>();

  function isRepetition(text: string): boolean {
    const now = Date.now();
    const before = saidAt.get(text);
    if (before !== undefined && now - before < REPEAT_AFTER_MS) return true;
    if (saidAt.size >= REMEMBERED_MESSAGES) saidAt.clear();
    saidAt.set(text, now);
    return false;
  }

  return () =>
    ({ namespace, level, log }: LogEntry) => {
      const { message, timestamp: _timestamp, logger: _logger, stack: _stack, ...fields } = log;
      const isTrouble = level === kafkajs.logLevel.WARN || level === kafkajs.logLevel.ERROR;
      if (KNOWN.some((known) => message.includes(known))) return;
      const text = `kafkajs ${namespace}: ${message}`;
      if (isTrouble && !isRepetition(text)) logger.warn(fields, text);
      else logger.debug(fields, text);
    };
}
