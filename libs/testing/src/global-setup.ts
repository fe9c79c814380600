import { stopTestServers } from "./test-server.ts";

/** For vitest's `globalSetup`: servers start when the first test asks for one, and stop when the last run is over. */
export async function teardown(): Promise<void> {
  await stopTestServers();
}
