import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { privateTestKafka, createTestDatabase } from "@heddle/testing";
import { startCluster } from "@heddle/up";
import { grpcJs, type InteropClient } from "../clients.ts";
import type { EventJson } from "./stranger.ts";

/** The suite as processes, with a Kafka that nobody else writes to. */
export interface PublishedSuite {
  brokers: string[];
  /** Publishes the workflow, runs it so many times side by side, and resolves to the histories by execution id. */
  run(source: string, times: number): Promise<Map<string, History>>;
  stop(): Promise<void>;
}

/** The events of one execution in order, as the service tells them in proto3 JSON. */
export type History = EventJson[];

/** Starts a broker, a database and the services. */
export async function startPublishedSuite(): Promise<PublishedSuite> {
  const closers: (() => unknown)[] = [];
  const stop = async (): Promise<void> => {
    for (let close = closers.pop(); close !== undefined; close = closers.pop()) await close();
  };
  try {
    const kafka = await privateTestKafka().start();
    closers.push(() => kafka.purge());
    const database = await createTestDatabase({ schema: "interop", migrations: [] });
    closers.push(() => database.drop());
    const logDir = mkdtempSync(join(tmpdir(), "heddle-published-"));
    closers.push(() => rmSync(logDir, { recursive: true }));
    const cluster = await startCluster({
      databaseUrl: database.url,
      kafkaBrokers: [kafka.address],
      logDir,
      replicas: { worker: 0 },
    });
    closers.push(() => cluster.stop());
    const client = grpcJs(cluster.url);
    return {
      brokers: [kafka.address],
      async run(source, times) {
        await client.call("heddle.definition.v1.DefinitionService/PublishDefinition", { source });
        const runs = await Promise.all(Array.from({ length: times }, (_, n) => runOnce(client, source, n)));
        return new Map(runs);
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function runOnce(client: InteropClient, source: string, n: number): Promise<[string, History]> {
  const service = "heddle.execution.v1.ExecutionService";
  const workflowId = /^ +id: (\S+)$/m.exec(source)?.[1] ?? "";
  const started = await client.call(`${service}/StartExecution`, { workflowId, input: { n } });
  const { executionId } = (started as { execution: { executionId: string } }).execution;
  const watched = await client.stream(`${service}/WatchExecution`, { executionId });
  return [executionId, (watched as { events?: History }[]).flatMap(({ events = [] }) => events)];
}
