import { randomUUID } from "node:crypto";
import kafkajs from "kafkajs";

/** A message as it stands in a topic: the number that its sender gave it, per key. */
export interface Written {
  readonly key: string;
  readonly number: number;
}

export interface Findings {
  lost: number;
  doubled: number;
  /** Numbers below the highest one of their key that stands before them, other than repetitions. */
  outOfOrder: number;
}

export const FLAWLESS: Findings = { lost: 0, doubled: 0, outOfOrder: 0 };

/** What became of the acknowledged messages. */
export function judge(acknowledged: Iterable<Written>, written: readonly Written[]): Findings {
  const seen = new Set<string>();
  const highest = new Map<string, number>();
  const findings = { ...FLAWLESS };
  for (const { key, number } of written) {
    const id = `${key}/${number}`;
    if (seen.has(id)) findings.doubled += 1;
    else if (number < (highest.get(key) ?? -1)) findings.outOfOrder += 1;
    seen.add(id);
    highest.set(key, Math.max(number, highest.get(key) ?? -1));
  }
  for (const { key, number } of acknowledged) if (!seen.has(`${key}/${number}`)) findings.lost += 1;
  return findings;
}

/** Everything in a topic, in order per partition, read with a plain client. The value is the number as text. */
export async function readTopic(brokers: string[], topic: string): Promise<Written[]> {
  const kafka = new kafkajs.Kafka({
    brokers,
    clientId: "ledger",
    logLevel: kafkajs.logLevel.NOTHING,
    retry: { initialRetryTime: 50, maxRetryTime: 500, retries: 1_000 },
  });
  const admin = kafka.admin();
  await admin.connect();
  const ends = new Map((await admin.fetchTopicOffsets(topic)).map(({ partition, high }) => [partition, Number(high)]));
  await admin.disconnect();
  const consumer = kafka.consumer({ groupId: randomUUID(), maxWaitTimeInMs: 50 });
  const written: Written[] = [];
  const left = new Set([...ends].filter(([, end]) => end > 0).map(([partition]) => partition));
  const done = Promise.withResolvers<void>();
  if (left.size === 0) done.resolve();
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachBatch: async ({ batch }) => {
      for (const { key, value } of batch.messages) written.push({ key: String(key), number: Number(value) });
      if (Number(batch.lastOffset()) + 1 >= (ends.get(batch.partition) ?? 0)) left.delete(batch.partition);
      if (left.size === 0) done.resolve();
    },
  });
  await done.promise;
  await consumer.disconnect();
  return written;
}
