import type { EventMessage } from "@heddle/events";
import type { JournalLimits } from "@heddle/journal";
import { ExecutionService } from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import { HumanTaskService } from "@heddle/proto/heddle/execution/v1/human_task_service_pb.js";
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
import { createExecutionService, type ExecutionService as Service } from "../../src/index.ts";
import { type Answer, createScriptedScheduler, type ScriptedScheduler } from "./scripted-scheduler.ts";
import { serveDefinitions } from "./serve-definitions.ts";

export interface ReplicaOptions {
  database: Database;
  owner: string;
  /** Definitions that the definition service has; it is played by each replica for itself. */
  sources: readonly string[];
  answer?: Answer;
  journalLimits?: Partial<JournalLimits>;
  /** Default: a free one. */
  port?: number;
  published?: EventMessage[];
}

/** One replica of the execution service behind a real gRPC server. */
export interface Replica {
  owner: string;
  url: string;
  client: RpcClient<typeof ExecutionService>;
  people: RpcClient<typeof HumanTaskService>;
  scheduler: ScriptedScheduler;
  service: Service;
  /** Ends in order: others have its partitions before its server closes. */
  stop(): Promise<void>;
}

export async function startReplica(options: ReplicaOptions): Promise<Replica> {
  const { database, owner } = options;
  const logger = createLogger({ name: owner, level: (process.env.TEST_LOG_LEVEL as "silent") ?? "silent" });
  const scheduler = createScriptedScheduler(options.answer);
  const dependencies = createInMemoryTransport({
    routes: (router) => {
      serveDefinitions(options.sources)(router);
      scheduler.routes(router);
    },
    logger,
  });
  const port = options.port ?? (await findFreePort());
  const url = `http://127.0.0.1:${port}`;
  const dialer = createDialer();
  const service = createExecutionService({
    database,
    definition: dependencies,
    scheduler: dependencies,
    statemachine: dependencies,
    dial: dialer.dial,
    owner,
    address: url,
    sinks: [{ publish: async (batch) => void options.published?.push(...batch) }],
    logger,
    journalLimits: options.journalLimits,
  });
  const server = createServer({ routes: service.routes, logger, port });
  await server.listen();
  const transport = createGrpcTransport(url);
  await service.start();
  let stopped: Promise<void> | undefined;
  return {
    owner,
    url,
    client: createRpcClient(ExecutionService, transport),
    people: createRpcClient(HumanTaskService, transport),
    scheduler,
    service,
    stop: () =>
      (stopped ??= (async () => {
        await service.stop();
        transport.close();
        await server.close({ drainMs: 1_000 });
        dialer.close();
        dependencies.close();
      })()),
  };
}
