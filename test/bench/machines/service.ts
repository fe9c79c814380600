import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compileDefinition } from "@heddle/language";
import { DefinitionService } from "@heddle/proto/heddle/definition/v1/definition_service_pb.js";
import { StateMachineService } from "@heddle/proto/heddle/statemachine/v1/statemachine_service_pb.js";
import { createInMemoryTransport, createRpcClient, type RpcClient } from "@heddle/rpc";
import { createStateMachineService, stateMachineMigrations } from "@heddle/statemachine-service";
import { openDatabase, startEmbeddedPostgres } from "@heddle/store";
import { createLogger } from "@heddle/telemetry";

/** The statemachine service in this process, on a Postgres of its own with fsync on. */
export interface BenchService {
  client: RpcClient<typeof StateMachineService>;
  postgresPid: number;
  /** As the server says. */
  settings: Record<string, string>;
  stop(): Promise<void>;
}

export async function startBenchService(source: string): Promise<BenchService> {
  const { plan, findings } = compileDefinition(source);
  if (plan === undefined) throw new Error(`bad definition: ${JSON.stringify(findings)}`);
  const planJson = JSON.stringify(plan);
  const dataDir = await mkdtemp(join(tmpdir(), "heddle-bench-machines-"));
  const postgres = await startEmbeddedPostgres({ dataDir });
  const database = openDatabase({ url: postgres.url, schema: "statemachine" });
  await database.migrate(stateMachineMigrations);
  const logger = createLogger({ name: "bench", level: "warn" });
  const transport = createInMemoryTransport({
    routes(router) {
      router.service(DefinitionService, {
        getPlan: ({ knownVersion }) => ({ version: 1, planJson: knownVersion === 1 ? "" : planJson }),
      });
      service.routes(router);
    },
    logger,
  });
  const service = createStateMachineService({
    database,
    definition: transport,
    execution: transport,
    owner: "bench",
    sinks: [],
    logger,
  });
  await service.start();
  const { rows } = await database.query<Record<string, string>>({
    text: `select current_setting('server_version') as version, current_setting('fsync') as fsync,
      current_setting('synchronous_commit') as commit`,
  });
  return {
    client: createRpcClient(StateMachineService, transport),
    postgresPid: postgres.pid,
    settings: rows[0] ?? {},
    async stop() {
      await service.stop();
      transport.close();
      await database.close();
      await postgres.stop();
      for (const path of [postgres.dataPath, dataDir]) await rm(path, { recursive: true, force: true });
    },
  };
}
