import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import kafkajs from "kafkajs";
import { keyOf, type Load, measure, type Measured, valueOf } from "./load.ts";

/*
 * The floor, in a process of its own, where nobody mends kafkajs: as its documentation has it, with one send in flight.
 * The same messages, the same compression, Java's partitioner.
 */

export interface FloorCommand {
  kind: "publish" | "consume";
  brokers: string[];
  topic: string;
  load: Load;
}

const retry = { initialRetryTime: 100, maxRetryTime: 1_000, retries: 1_000 };

kafkajs.CompressionCodecs[kafkajs.CompressionTypes.ZSTD] = () => ({
  compress: async ({ buffer }: { buffer: Buffer }) => zstdCompressSync(buffer),
  decompress: async (buffer: Buffer) => zstdDecompressSync(buffer),
});

let producer: Promise<kafkajs.Producer> | undefined;

process.on("message", (command: FloorCommand) => {
  void run(command).then((measured: Measured) => process.send?.(measured));
});

async function run({ kind, brokers, topic, load }: FloorCommand): Promise<Measured> {
  const client = new kafkajs.Kafka({ brokers, clientId: "floor", logLevel: kafkajs.logLevel.NOTHING, retry });
  if (kind === "consume") return await measure(load, () => consume(client, topic, load));
  producer ??= openProducer(client);
  const open = await producer;
  return await measure(load, () => publish(open, topic, load));
}

async function openProducer(client: kafkajs.Kafka): Promise<kafkajs.Producer> {
  const opened = client.producer({
    idempotent: true,
    maxInFlightRequests: 1,
    createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
    retry: { ...retry, retries: Number.MAX_SAFE_INTEGER },
  });
  await opened.connect();
  return opened;
}

async function publish(open: kafkajs.Producer, topic: string, load: Load): Promise<void> {
  const value = valueOf(load);
  for (let next = 0; next < load.events; next += load.batch) {
    const length = Math.min(load.batch, load.events - next);
    const messages = Array.from({ length }, (_, index) => createMessage(topic, next + index, value));
    await open.send({ topic, acks: -1, compression: kafkajs.CompressionTypes.ZSTD, messages });
  }
}

/** What `createRawEventMessage` makes. */
function createMessage(topic: string, number: number, value: Buffer): kafkajs.Message {
  const key = keyOf(number);
  return {
    key,
    value,
    headers: {
      ce_id: `${key}/${number}`,
      ce_source: "/heddle/execution",
      ce_type: topic,
      ce_specversion: "1.0",
      "content-type": "application/protobuf",
      ce_subject: key,
      "heddle-partition": String(number % 64),
      "heddle-offset": String(number >> 3),
      "heddle-index": String(number & 7),
    },
  };
}

/** Reads by batches, makes texts of the headers as the bus does, and looks at nothing but the number of messages. */
async function consume(client: kafkajs.Kafka, topic: string, load: Load): Promise<void> {
  const consumer = client.consumer({ groupId: `floor-${topic}`, maxWaitTimeInMs: 100, retry });
  const done = Promise.withResolvers<void>();
  let left = load.events;
  let characters = 0;
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await consumer.run({
    eachBatch: async ({ batch }) => {
      for (const { headers } of batch.messages) {
        for (const name in headers) characters += String(headers[name]).length;
      }
      left -= batch.messages.length;
      if (left <= 0) done.resolve();
    },
  });
  await done.promise;
  if (characters === 0) throw new Error("the messages had no headers");
  await consumer.disconnect();
}
