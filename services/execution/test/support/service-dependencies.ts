import { createServer, type RpcServer } from "@heddle/rpc";
import { createLogger } from "@heddle/telemetry";
import { createScriptedScheduler } from "./scripted-scheduler.ts";
import { serveDefinitions } from "./serve-definitions.ts";

/** What the service calls, at one address, for tests in which it is a process: these definitions, and a scheduler that answers nothing. */
export async function startDependencies(sources: string[]): Promise<{ server: RpcServer; url: string }> {
  const definitions = serveDefinitions(sources);
  const scheduler = createScriptedScheduler();
  const server = createServer({
    routes(router) {
      definitions(router);
      scheduler.routes(router);
    },
    logger: createLogger({ name: "test", level: "silent" }),
  });
  const { url } = await server.listen();
  return { server, url };
}
