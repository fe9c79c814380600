import { connect, createServer, type Socket } from "node:net";
import { openDatabase } from "@heddle/store";
import { createLogger } from "@heddle/telemetry";
import { createTestDatabase } from "@heddle/testing";
import { expect, it } from "vitest";
import { schedulerMigrations } from "../src/index.ts";
import { createNotices, type Notice } from "../src/schedules/notices.ts";

const logger = createLogger({ name: "test", level: "silent" });
const quick = { retryMs: 10, checkMs: 20, silenceMaxMs: 200, logger };

it("hears of changes again when the network drops its connection without a word, and stops then", async () => {
  const test = await createTestDatabase({ schema: "scheduler", migrations: schedulerMigrations });
  const network = await createNetwork(test.url);
  const database = openDatabase({ url: network.url, schema: "scheduler" });
  const heard: Notice[] = [];
  const notices = createNotices({ database, onNotice: (notice) => heard.push(notice), ...quick });
  const other = createNotices({ database: test.database, onNotice: () => undefined, ...quick });
  try {
    notices.start();
    await expect.poll(() => heard).toEqual(["changed"]);
    network.swallow();
    // Nobody hears this one: the new connection says that there may have been something.
    await other.tell(test.database, "due");
    await expect.poll(() => heard, { timeout: 30_000 }).toEqual(["changed", "changed"]);
    await other.tell(test.database, "due");
    await expect.poll(() => heard, { timeout: 30_000 }).toEqual(["changed", "changed", "due"]);
    network.swallow();
  } finally {
    await notices.stop();
    await database.close();
    await network.close();
    await test.drop();
  }
});

/** A wire to Postgres. `swallow`: what goes over the connections that there are is lost from now on, and neither end is told. */
async function createNetwork(target: string): Promise<{ url: string; swallow(): void; close(): Promise<void> }> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  const listener = createServer((client) => {
    const server = connect(Number(port), hostname);
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      sockets.add(from);
      from.on("data", (chunk) => to.write(chunk));
      from.on("error", () => to.destroy());
      from.on("close", () => to.destroy());
    }
  });
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const url = new URL(target);
  url.hostname = "127.0.0.1";
  url.port = String((listener.address() as { port: number }).port);
  return {
    url: url.href,
    swallow() {
      for (const socket of sockets) socket.removeAllListeners("data").resume();
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => listener.close(resolve));
    },
  };
}
