import { beginKafkaRun, endKafkaRun } from "./test-kafka.ts";
import { stopTestServers } from "./test-server.ts";

/** For vitest's `globalSetup`: servers start when the first test asks for one, and stop when the last run is over. */
export async function setup(): Promise<void> {
  await beginKafkaRun();
}

export async function teardown(): Promise<void> {
  await Promise.all([stopTestServers(), endKafkaRun()]);
}
