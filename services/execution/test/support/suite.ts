import { create } from "@bufbuild/protobuf";
import { DomainError } from "@heddle/errors";
import { createMemoryBus, type EventBus, type EventMessage } from "@heddle/events";
import { type DefinitionPlan, compileDefinition, findInnerPlan } from "@heddle/language";
import { DefinitionService, GetPlanResponseSchema } from "@heddle/proto/heddle/definition/v1/definition_service_pb.js";
import { ExecutionService } from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import { createInMemoryTransport, createRpcClient, type Routes, type RpcClient, type RpcTransport } from "@heddle/rpc";
import { createLogger } from "@heddle/telemetry";
import { createTestDatabase, type TestDatabase } from "@heddle/testing";
import { createExecutionService, executionMigrations, type ExecutionServiceOptions } from "../../src/index.ts";
import { type Answer, createScriptedScheduler, type ScriptedScheduler } from "./scripted-scheduler.ts";

export interface ExecutionSuite {
  client: RpcClient<typeof ExecutionService>;
  transport: RpcTransport;
  scheduler: ScriptedScheduler;
  /** Events as they were published, in order. */
  published: EventMessage[];
  /** Where the service gets DefinitionEvents from. */
  bus: EventBus;
  testDatabase: TestDatabase;
  /** Makes this source the active version of its workflow. */
  publish(source: string): void;
  /** How often the definition service was asked for a plan. */
  planRequests(): number;
  /** While true the definition service cannot be reached. */
  setDefinitionsDown(down: boolean): void;
  /** Ends the service in order and starts another one on the same data. */
  restart(): Promise<void>;
  /** Leaves the service as a crash would: a successor on the same data takes its partitions. */
  crash(): Promise<void>;
  stop(): Promise<void>;
}

/** The execution service on a real Postgres, with the definition service and the scheduler played by the test. */
export async function startExecutionSuite(
  answer?: Answer,
  others: Routes = () => undefined,
  options: Partial<ExecutionServiceOptions> = {},
): Promise<ExecutionSuite> {
  const testDatabase = await createTestDatabase({ schema: "execution", migrations: executionMigrations });
  const logger = createLogger({ name: "test", level: "silent" });
  const scheduler = createScriptedScheduler(answer);
  const published: EventMessage[] = [];
  const plans = new Map<string, DefinitionPlan[]>();
  const bus = createMemoryBus();
  let requests = 0;
  let down = false;

  const definitions: Routes = (router) =>
    router.service(DefinitionService, {
      getPlan(request) {
        requests += 1;
        if (down) throw new DomainError({ kind: "unavailable", reason: "DEPENDENCY_UNAVAILABLE", message: "down" });
        const [workflowId = "", ...inner] = request.workflowId.split(".");
        const versions = plans.get(workflowId);
        if (versions === undefined) {
          throw new DomainError({ kind: "not_found", reason: "DEFINITION_NOT_FOUND", message: "no such definition" });
        }
        const version = request.version === 0 ? versions.length : request.version;
        if (request.knownVersion === version) return create(GetPlanResponseSchema, { version });
        const plan = versions[version - 1];
        const wanted = plan === undefined || inner.length === 0 ? plan : findInnerPlan(plan, inner.join("."));
        return create(GetPlanResponseSchema, { version, planJson: wanted && JSON.stringify(wanted) });
      },
    });

  const startService = async () => {
    const database = testDatabase.open();
    const transport = createInMemoryTransport({
      routes: (router) => {
        definitions(router);
        scheduler.routes(router);
        others(router);
        service.routes(router);
      },
      logger,
    });
    const service = createExecutionService({
      database,
      definition: transport,
      scheduler: transport,
      statemachine: transport,
      owner: "test",
      bus,
      sinks: [{ publish: async (batch) => void published.push(...batch) }, bus],
      logger,
      ...options,
    });
    await service.start();
    return { service, transport, database };
  };

  let current = await startService();
  const abandoned: (typeof current)[] = [];
  const suite: ExecutionSuite = {
    client: createRpcClient(ExecutionService, current.transport),
    transport: current.transport,
    scheduler,
    published,
    bus,
    testDatabase,
    publish(source) {
      const { plan, findings } = compileDefinition(source);
      if (plan === undefined) throw new Error(`bad definition: ${JSON.stringify(findings)}`);
      const versions = plans.get(plan.workflowId) ?? [];
      versions.push(plan);
      plans.set(plan.workflowId, versions);
    },
    planRequests: () => requests,
    setDefinitionsDown(value) {
      down = value;
    },
    async restart() {
      await current.service.stop();
      current.transport.close();
      await use(await startService());
    },
    async crash() {
      abandoned.push(current);
      await use(await startService());
    },
    async stop() {
      for (const { service, transport } of [...abandoned, current]) {
        await service.stop().catch(() => undefined);
        transport.close();
      }
      await bus.close();
      await testDatabase.drop();
    },
  };

  async function use(next: typeof current): Promise<void> {
    current = next;
    suite.transport = next.transport;
    suite.client = createRpcClient(ExecutionService, next.transport);
  }
  return suite;
}
