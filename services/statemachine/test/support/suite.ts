import { create } from "@bufbuild/protobuf";
import { DomainError } from "@heddle/errors";
import { createMemoryBus, type EventBus, type EventMessage } from "@heddle/events";
import type { JournalLimits } from "@heddle/journal";
import { compileDefinition } from "@heddle/language";
import { DefinitionService, GetPlanResponseSchema } from "@heddle/proto/heddle/definition/v1/definition_service_pb.js";
import { ExecutionService } from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import { StateMachineService } from "@heddle/proto/heddle/statemachine/v1/statemachine_service_pb.js";
import { createInMemoryTransport, createRpcClient, type Routes, type RpcClient } from "@heddle/rpc";
import { createLogger } from "@heddle/telemetry";
import { createTestDatabase, type TestDatabase } from "@heddle/testing";
import { createStateMachineService, stateMachineMigrations } from "../../src/index.ts";
import { createScriptedExecutions, type ScriptedExecutions } from "./scripted-executions.ts";

export interface MachineSuite {
  client: RpcClient<typeof StateMachineService>;
  /** Starts executions as anybody may. */
  starter: RpcClient<typeof ExecutionService>;
  executions: ScriptedExecutions;
  readonly bus: EventBus;
  /** Events as they were published, in order. */
  published: EventMessage[];
  testDatabase: TestDatabase;
  /** Makes this source the active version of its workflow. */
  publish(source: string): void;
  /** While true the definition service cannot be reached. */
  setDefinitionsDown(down: boolean): void;
  /** Ends the service in order and starts another one on the same data. */
  restart(): Promise<void>;
  /** Leaves the service as a crash would: a successor on the same data takes its partitions. */
  crash(): Promise<void>;
  /** Moves the service's clock on from now on. */
  skip(ms: number): void;
  stop(): Promise<void>;
}

/** Serves what was compiled from the sources. */
export function createDefinitions(): {
  publish(source: string): void;
  setDown(down: boolean): void;
  routes: Routes;
} {
  const plans = new Map<string, string[]>();
  let isDown = false;
  return {
    setDown(down) {
      isDown = down;
    },
    publish(source) {
      const { plan, findings } = compileDefinition(source);
      if (plan === undefined) throw new Error(`bad definition: ${JSON.stringify(findings)}`);
      const versions = plans.get(plan.workflowId) ?? [];
      versions.push(JSON.stringify(plan));
      plans.set(plan.workflowId, versions);
    },
    routes: (router) =>
      router.service(DefinitionService, {
        getPlan(request) {
          if (isDown) throw new DomainError({ kind: "unavailable", reason: "DEPENDENCY_UNAVAILABLE", message: "down" });
          const versions = plans.get(request.workflowId);
          const version = request.version === 0 ? (versions?.length ?? 0) : request.version;
          const planJson = versions?.[version - 1];
          if (planJson === undefined) {
            throw new DomainError({ kind: "not_found", reason: "DEFINITION_NOT_FOUND", message: "no such definition" });
          }
          return create(GetPlanResponseSchema, { version, planJson: request.knownVersion === version ? "" : planJson });
        },
      }),
  };
}

/** The statemachine service on a real Postgres, with the definition and execution services played by the test. */
export async function startMachineSuite(
  options: { journalLimits?: Partial<JournalLimits> } = {},
): Promise<MachineSuite> {
  const testDatabase = await createTestDatabase({ schema: "statemachine", migrations: stateMachineMigrations });
  const logger = createLogger({ name: "test", level: (process.env["TEST_LOG_LEVEL"] as "silent") ?? "silent" });
  const published: EventMessage[] = [];
  const definitions = createDefinitions();
  const closing: Promise<void>[] = [];
  let bus = createMemoryBus();
  const executions = createScriptedExecutions(() => bus);
  const replaceBus = (): void => {
    closing.push(bus.close());
    bus = createMemoryBus();
  };
  let skippedMs = 0;

  const startService = async () => {
    const database = testDatabase.open();
    const transport = createInMemoryTransport({
      routes: (router) => {
        definitions.routes(router);
        executions.routes(router);
        service.routes(router);
      },
      logger,
    });
    const service = createStateMachineService({
      database,
      definition: transport,
      execution: transport,
      owner: "test",
      bus,
      sinks: [{ publish: async (batch) => void published.push(...batch) }, bus],
      logger,
      now: () => Date.now() + skippedMs,
      journalLimits: options.journalLimits,
    });
    await service.start();
    return { service, transport };
  };

  let current = await startService();
  const abandoned: (typeof current)[] = [];
  const use = (next: typeof current): void => {
    current = next;
    suite.client = createRpcClient(StateMachineService, next.transport);
    suite.starter = createRpcClient(ExecutionService, next.transport);
  };
  const suite: MachineSuite = {
    client: createRpcClient(StateMachineService, current.transport),
    starter: createRpcClient(ExecutionService, current.transport),
    executions,
    get bus() {
      return bus;
    },
    published,
    testDatabase,
    publish: definitions.publish,
    setDefinitionsDown: definitions.setDown,
    async restart() {
      await current.service.stop();
      current.transport.close();
      replaceBus();
      use(await startService());
    },
    async crash() {
      abandoned.push(current);
      // In memory, it dies with its process.
      replaceBus();
      use(await startService());
    },
    skip(ms) {
      skippedMs += ms;
    },
    async stop() {
      for (const { service, transport } of [...abandoned, current]) {
        await service.stop().catch(() => undefined);
        transport.close();
      }
      await Promise.all([bus.close(), ...closing]);
      await testDatabase.drop();
    },
  };
  return suite;
}
