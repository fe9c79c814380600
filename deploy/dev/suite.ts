import { join, resolve } from "node:path";
import { createDefinitionService, definitionMigrations } from "@heddle/definition-service";
import { DomainError } from "@heddle/errors";
import { createFileSink, createMemoryBus, type EventSink } from "@heddle/events";
import { createExecutionService, executionMigrations } from "@heddle/execution-service";
import { createInMemoryTransport, createServer, type Routes, type RpcTransport } from "@heddle/rpc";
import { createSchedulerService, schedulerMigrations } from "@heddle/scheduler-service";
import { createStateMachineService, stateMachineMigrations } from "@heddle/statemachine-service";
import { openDatabase, startEmbeddedPostgres } from "@heddle/store";
import type { Logger, Metrics } from "@heddle/telemetry";
import { createWorkerService } from "@heddle/worker-service";
import type { DevConfig } from "./config.ts";
import { lockDataDir } from "./data-dir-lock.ts";
import { createEventGate } from "./event-gate.ts";
import { eventRegistry } from "./event-registry.ts";

/** A start that waits for the end may take as long as its longest wait, 10 minutes. */
const limits = {
  deadlineDefaultByMethodMs: { "/heddle.execution.v1.ExecutionService/StartExecution": 600_000 },
};

export interface Suite {
  url: string;
  /** Whether the port was another one than asked for. */
  portTaken: boolean;
  stop(): Promise<void>;
}

/** Starts everything in this process: one port, one Postgres, each service with its own schema. */
export async function startSuite(
  config: DevConfig,
  logger: Logger,
  metrics: Metrics,
  /** Another suite has started on the same database, and has taken everything from this one: end it. */
  onSuperseded: (error: Error) => void = () => undefined,
): Promise<Suite> {
  const dataDir = resolve(config.HEDDLE_DATA_DIR);
  const closers: (() => unknown)[] = [];
  const stop = async (): Promise<void> => {
    for (let close = closers.pop(); close !== undefined; close = closers.pop()) await close();
  };
  const bus = createMemoryBus({ logger });
  const gate = createEventGate(bus);
  try {
    const lock = lockDataDir(dataDir);
    closers.push(() => lock.release());
    const url = config.DATABASE_URL ?? (await embeddedPostgres(join(dataDir, "postgres"), logger));
    const open = (schema: string) => {
      const database = openDatabase({ url, schema });
      closers.push(() => database.close());
      return database;
    };
    const [definitionDb, executionDb, schedulerDb] = [open("definition"), open("execution"), open("scheduler")];
    const stateMachineDb = open("statemachine");
    await unlessUnusable("the Postgres of DATABASE_URL cannot be used", config.DATABASE_URL !== undefined, () =>
      Promise.all([
        definitionDb.migrate(definitionMigrations),
        executionDb.migrate(executionMigrations),
        schedulerDb.migrate(schedulerMigrations),
        stateMachineDb.migrate(stateMachineMigrations),
      ]),
    );

    const sinks: EventSink[] = [gate.sink];
    if (config.HEDDLE_EVENT_LOG !== undefined) {
      const log = await createFileSink({ path: resolve(config.HEDDLE_EVENT_LOG), registry: eventRegistry });
      closers.push(() => log.close());
      sinks.push(log);
    }

    const definition = createDefinitionService({ database: definitionDb, sinks, logger });
    const transport: RpcTransport = createInMemoryTransport({
      routes: (router) => routes(router),
      logger,
      metrics,
      validation: { skip: (method) => scheduler.validation.skip?.(method) ?? false },
      limits,
    });
    const scheduler = createSchedulerService({
      database: schedulerDb,
      execution: transport,
      bus,
      // The same at every start on this data: what it owned is taken back at once.
      owner: "dev",
      logger,
      metrics,
    });
    const { validation } = scheduler;
    const execution = createExecutionService({
      database: executionDb,
      definition: transport,
      scheduler: transport,
      statemachine: transport,
      bus,
      // The same at every start on this data: its own partitions are taken back at once.
      owner: "dev",
      sinks,
      logger,
      metrics,
      onSuperseded,
    });
    const statemachine = createStateMachineService({
      database: stateMachineDb,
      definition: transport,
      execution: transport,
      bus,
      // The same at every start on this data: its own partitions are taken back at once.
      owner: "dev",
      sinks,
      logger,
      metrics,
      onSuperseded,
    });
    const routes: Routes = (router) => {
      for (const service of [definition, execution, scheduler, statemachine]) service.routes(router);
    };

    const server = createServer({
      routes,
      logger,
      metrics,
      validation,
      limits,
      host: config.HEDDLE_HOST,
      port: config.HEDDLE_PORT,
      portFallback: config.HEDDLE_PORT === 0 ? 0 : config.HEDDLE_PORT_FALLBACK,
    });

    await scheduler.start();
    closers.push(() => scheduler.stop());
    definition.start();
    closers.push(() => definition.stop());
    await statemachine.start();
    closers.push(() => statemachine.stop());
    await execution.start();
    closers.push(() => execution.stop());
    closers.push(() => transport.close());
    closers.push(() => gate.close());
    gate.open();
    if (config.HEDDLE_WORKER) {
      const worker = await unlessUnusable("the built-in worker cannot be set up", true, () =>
        createWorkerService({ transport, logger, config }),
      );
      await worker.start();
      closers.push(() => worker.stop());
    }
    const address = await server.listen();
    closers.push(() => server.close());
    lock.setUrl(address.url);
    return {
      url: address.url,
      portTaken: config.HEDDLE_PORT !== 0 && address.port !== config.HEDDLE_PORT,
      stop,
    };
  } catch (error) {
    await gate.close();
    await stop();
    throw error;
  }
}

/** What fails here is what an operator has given: the message says which, and no stack helps. */
async function unlessUnusable<T>(what: string, isGiven: boolean, use: () => T | Promise<T>): Promise<T> {
  try {
    return await use();
  } catch (cause) {
    if (!isGiven || cause instanceof DomainError) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new DomainError({
      kind: "failed_precondition",
      reason: "CONFIG_INVALID",
      message: `${what}: ${why}`,
      cause,
    });
  }
}

/** Stays up when this process ends, so that the next start finds it warm; it costs nothing while idle. */
async function embeddedPostgres(dataDir: string, logger: Logger): Promise<string> {
  const postgres = await startEmbeddedPostgres({ dataDir });
  logger.info({ dataDir, adopted: postgres.adopted }, "embedded Postgres is ready");
  return postgres.url;
}
