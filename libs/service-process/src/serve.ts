import { setTimeout as sleep } from "node:timers/promises";
import type { ServerResponse } from "node:http";
import {
  closeOnSignal,
  createHealth,
  createServer,
  type CreateServerOptions,
  type Routes,
  type RpcLimits,
  type ValidationOptions,
} from "@heddle/rpc";
import { createMetrics, type Logger, type Metrics } from "@heddle/telemetry";
import { createClosers } from "./closers.ts";
import { CALLS_GRACE_MS, SHUTDOWN_TIMEOUT_MS } from "./limits.ts";
import { openTls, type ProcessTls, type TlsValues } from "./open-tls.ts";
import { createOutbound, type Outbound } from "./outbound.ts";
import { createReadiness } from "./readiness.ts";
import { findFreePort, type Replica, replicaOf, type ReplicaValues } from "./replica.ts";
import type { DatabaseValues, ServiceSchema } from "./service-database.ts";

/** What every process reads: `serverSettings`. */
export interface ServerValues extends ReplicaValues, TlsValues {
  HEDDLE_PORT: number;
  HEDDLE_LOG_LEVEL: "debug" | "info" | "warn" | "error" | "silent";
}

/** What a service is put together from. */
export interface ProcessContext<V, D> extends Outbound, Replica {
  config: V;
  logger: Logger;
  metrics: Metrics;
  /** For calls of its own making, beside `connect` and `dial`. */
  tls: ProcessTls["services"];
  /** The service's schema. It is up to date before `start` is called. */
  database: D;
  /** Called at the end of the process, after the service has stopped; the last one first. */
  onClose(close: () => unknown): void;
  /** Ends the process at once, with the error in its log: for what makes all its further work pointless. */
  fail(error: Error): void;
}

/** A service as a process runs it. */
export interface ServiceParts {
  routes: Routes;
  validation?: ValidationOptions;
  limits?: Partial<RpcLimits>;
  /** Calls are refused, and health says NOT_SERVING, until it resolves. */
  start?(): void | Promise<void>;
  /** Called also when `start` has not resolved yet. */
  stop?(): void | Promise<void>;
  /** Time that the whole shutdown may take. Default 30 s. */
  stopTimeoutMs?: number;
}

interface ServeOptions<V extends ServerValues & Partial<DatabaseValues>, D> {
  name: string;
  values: V;
  logger: Logger;
  store?: ServiceSchema;
  compose(context: ProcessContext<V, D>): ServiceParts | Promise<ServiceParts>;
  fail(error: Error): void;
}

/**
 * Opens the port, waits for the database, makes sure of the schema, starts the service, and says SERVING. After a signal
 * everything ends in the opposite order. Resolves when the service is ready. @throws what its start throws
 */
export async function serve<V extends ServerValues & Partial<DatabaseValues>, D>(
  options: ServeOptions<V, D>,
): Promise<void> {
  const { name, values, logger, store } = options;
  const { HEDDLE_HOST: host } = values;
  const metrics = createMetrics();
  const closers = createClosers();
  // A service must know its own address before it can be put together, and it is put together before it listens.
  const port = values.HEDDLE_PORT === 0 ? await findFreePort(host) : values.HEDDLE_PORT;
  const tls = openTls(values, logger, metrics, closers);
  const replica = replicaOf(values, port, tls.server === undefined ? "http" : "https");
  // Loaded here: what keeps nothing need not load the clients of Postgres.
  const storage = store && (await import("./service-database.ts"));
  const database = store && storage?.openServiceDatabase(values, store.schema, `${name} ${replica.owner}`);
  if (database !== undefined) closers.add(() => database.close());
  const parts = await options.compose({
    ...replica,
    ...createOutbound({}, tls, closers),
    tls: tls.services,
    config: values,
    logger,
    metrics,
    // The overloads of runProcess give a database to those who have a store, and to nobody else.
    database: database as D,
    onClose: (close) => closers.add(close),
    fail: options.fail,
  });

  const health = createHealth();
  const readiness = createReadiness(name, health);
  const server = createServer({
    ...parts,
    interceptors: [readiness.interceptor],
    health,
    logger,
    metrics,
    host,
    port,
    tls: tls.server,
    fallback: serveLiveness,
  });

  const stopping = new AbortController();
  async function close(): Promise<void> {
    stopping.abort();
    // No new calls; those that merely compute finish. Then the service ends those that wait for something, and lets go of
    // what it owns, so that another replica has it soon. What still runs after the server's own time is cut off.
    const closed = server.close();
    await Promise.race([closed, sleep(CALLS_GRACE_MS)]);
    await parts.stop?.();
    await closed;
    await closers.closeAll();
  }
  closeOnSignal({ logger, timeoutMs: parts.stopTimeoutMs ?? SHUTDOWN_TIMEOUT_MS, close });

  const { url } = await server.listen();
  logger.info({ url, owner: replica.owner, address: replica.address }, `${name} is starting`);
  try {
    if (store !== undefined && storage !== undefined && database !== undefined) {
      await storage.waitForDatabase(database, logger, stopping.signal);
      await storage.prepareSchema(database, store.migrations, values.HEDDLE_MIGRATE === true, logger);
    }
    await parts.start?.();
  } catch (error) {
    // A start that a signal has cut short is no failure: `close` is under way, and ends the process.
    if (!stopping.signal.aborted) throw error;
    return;
  }
  if (stopping.signal.aborted) return;
  readiness.ready();
  logger.info({ url, readyAfterMs: Math.round(performance.now()) }, `${name} is ready`);
}

/** `/livez`: the process runs its event loop. Whether it can answer calls is what `/healthz` says. */
const serveLiveness: CreateServerOptions["fallback"] = (request, response) => {
  if (request.method !== "GET" || request.url?.split("?", 1)[0] !== "/livez") return false;
  const body = JSON.stringify({ status: "ALIVE" });
  // The answers of HTTP/1.1 and HTTP/2 have these methods in common; only their overloads do not unite.
  (response as ServerResponse).writeHead(200, { "content-type": "application/json" }).end(body);
  return true;
};
