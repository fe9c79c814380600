import { createDialer, createServer } from "@heddle/rpc";
import { openDatabase } from "@heddle/store";
import { createLogger } from "@heddle/telemetry";
import { createSchedulerService } from "../src/index.ts";

// One replica of the scheduler as a process of its own, to be stopped, killed and hung: `<owner> <port> <database url>`.
const [owner = "", port = "", url = ""] = process.argv.slice(2);
const logger = createLogger({ name: owner, level: "silent" });
const database = openDatabase({ url, schema: "scheduler", maxConnections: 2 });
const dialer = createDialer();
const address = `http://127.0.0.1:${port}`;
const service = createSchedulerService({ database, owner, address, dial: dialer.dial, logger });
const server = createServer({ routes: service.routes, validation: service.validation, logger, port: Number(port) });
await server.listen();
await service.start();
process.stdout.write("ready\n");

process.once("SIGTERM", () => {
  void (async () => {
    await service.stop();
    await server.close({ drainMs: 500 });
    dialer.close();
    await database.close();
    process.exit(0);
  })();
});
