import type { ServiceImpl } from "@connectrpc/connect";
import { DefinitionService } from "@heddle/proto/heddle/definition/v1/definition_service_pb.js";
import { ExecutionService } from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import { WorkerService } from "@heddle/proto/heddle/worker/v1/worker_service_pb.js";
import { createGrpcTransport, createServer, type Routes, type RpcServer, type RpcTransport } from "@heddle/rpc";
import { createLogger } from "@heddle/telemetry";
import { createGatewayService } from "../src/index.ts";

const logger = createLogger({ name: "test", level: "silent" });

/** Services that a test plays itself; what it leaves out is not implemented. */
export interface Fakes {
  definition?: Partial<ServiceImpl<typeof DefinitionService>>;
  execution?: Partial<ServiceImpl<typeof ExecutionService>>;
  worker?: Partial<ServiceImpl<typeof WorkerService>>;
}

export interface Edge {
  /** Of the gateway. */
  url: string;
  /** To the gateway, over gRPC. */
  transport: RpcTransport;
  /** The servers behind. */
  backends: { definition: RpcServer; execution: RpcServer; scheduler: RpcServer };
  close(): Promise<void>;
}

/** A gateway in front of fakes, each behind a port of its own. */
export async function startEdge({ definition = {}, execution = {}, worker = {} }: Fakes): Promise<Edge> {
  const serve = (routes: Routes) => createServer({ routes, logger });
  const backends = {
    definition: serve((router) => router.service(DefinitionService, definition)),
    execution: serve((router) => router.service(ExecutionService, execution)),
    scheduler: serve((router) => router.service(WorkerService, worker)),
  };
  // As the process connects: idempotent calls are repeated.
  const services = [DefinitionService, ExecutionService, WorkerService];
  const connect = async (server: RpcServer) => createGrpcTransport((await server.listen()).url, { services });
  const transports = {
    definition: await connect(backends.definition),
    execution: await connect(backends.execution),
    scheduler: await connect(backends.scheduler),
  };
  const gateway = createServer({
    ...createGatewayService({ ...transports, statemachine: transports.scheduler }),
    logger,
  });
  const { url } = await gateway.listen();
  const transport = createGrpcTransport(url);
  return {
    url,
    transport,
    backends,
    async close() {
      transport.close();
      await gateway.close({ drainMs: 0 });
      for (const one of Object.values(transports)) one.close();
      await Promise.all(Object.values(backends).map((server) => server.close({ drainMs: 0 })));
    },
  };
}
