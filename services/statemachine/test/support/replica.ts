import { StateMachineService } from "@heddle/proto/heddle/statemachine/v1/statemachine_service_pb.js";
import {
  createDialer,
  createGrpcTransport,
  createInMemoryTransport,
  createRpcClient,
  createServer,
  type RpcClient,
} from "@heddle/rpc";
import type { Database } from "@heddle/store";
import { createLogger } from "@heddle/telemetry";
import { findFreePort } from "@heddle/testing";
import { createStateMachineService } from "../../src/index.ts";
import { createDefinitions } from "./suite.ts";

/** One replica of the statemachine service behind a real gRPC server. */
export interface Replica {
  url: string;
  client: RpcClient<typeof StateMachineService>;
  /** Ends in order: others have its partitions before its server closes. */
  stop(): Promise<void>;
}

export async function startReplica(database: Database, owner: string, sources: readonly string[]): Promise<Replica> {
  const logger = createLogger({ name: owner, level: (process.env["TEST_LOG_LEVEL"] as "silent") ?? "silent" });
  const definitions = createDefinitions();
  for (const source of sources) definitions.publish(source);
  const dependencies = createInMemoryTransport({ routes: definitions.routes, logger });
  const port = await findFreePort();
  const url = `http://127.0.0.1:${port}`;
  const dialer = createDialer();
  const service = createStateMachineService({
    database,
    definition: dependencies,
    execution: dependencies,
    dial: dialer.dial,
    owner,
    address: url,
    sinks: [],
    logger,
  });
  const server = createServer({ routes: service.routes, logger, port });
  await server.listen();
  const transport = createGrpcTransport(url);
  await service.start();
  return {
    url,
    client: createRpcClient(StateMachineService, transport),
    async stop() {
      await service.stop();
      transport.close();
      await server.close({ drainMs: 1_000 });
      dialer.close();
      dependencies.close();
    },
  };
}
