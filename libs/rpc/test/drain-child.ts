import { createLogger } from "@heddle/telemetry";
import { closeOnSignal, createServer } from "../src/index.ts";
import { echoRoutes } from "./echo-server.ts";

// A whole process with a server, for tests that send it signals. Prints its address, then what it logs.
const logger = createLogger({ name: "drain-child", level: "info" });
const server = createServer({ routes: echoRoutes(), logger, limits: { drainMs: Number(process.argv[2]) } });
closeOnSignal({ close: () => server.close(), logger });
const { url } = await server.listen();
process.stdout.write(`${url}\n`);
