import { mkdir } from "node:fs/promises";
import { randomInt } from "node:crypto";
import { createServer } from "node:net";
import { join, resolve } from "node:path";
import { once } from "node:events";
import { type KafkaBroker, startKafkaBroker } from "@heddle/broker";
import { createTcpProxy, type TcpProxy } from "../net/tcp-proxy.ts";
import { manageProcess, type ManagedProcess } from "./managed-process.ts";
import { type PostgresServer, startPostgres } from "./postgres.ts";

export interface SuiteOptions {
  /** Everything of the run goes there: data, logs, records. */
  folder: string;
  executionReplicas: number;
  schedulerReplicas: number;
  workers: number;
  /** Of each worker. */
  slots: number;
}

/** A wire that faults can cut. */
export interface Wire {
  /** `<who asks> to <whom>`. */
  name: string;
  kind: "database" | "service";
  proxy: TcpProxy;
}

/** The suite as its operators run it: one process per replica, one Postgres, one Kafka; every wire goes through a proxy. */
export interface Suite {
  /** The gateway, for clients. */
  address: string;
  folder: string;
  slots: number;
  postgres: PostgresServer;
  kafka: KafkaBroker;
  processes: readonly ManagedProcess[];
  wires: readonly Wire[];
  find(name: string): ManagedProcess;
  /** Addresses of a service's replicas, past the proxies. */
  directAddresses(service: "execution" | "scheduler"): readonly string[];
  /** A worker that answers too late; it ends with the suite, or when it is stopped. */
  startZombie(id: string): ManagedProcess;
  /** Waits until every process serves. */
  ready(timeoutMs: number): Promise<void>;
  /** Ends everything and removes the data, but for logs and records. */
  stop(): Promise<void>;
}

const ROOT = resolve(import.meta.dirname, "../../..");
const READY_TIMEOUT_MS = 60_000;

export async function startSuite(options: SuiteOptions): Promise<Suite> {
  const { folder, slots } = options;
  const logs = join(folder, "logs");
  const records = join(folder, "records");
  await mkdir(logs, { recursive: true });
  await mkdir(records, { recursive: true });
  const closers: (() => Promise<unknown>)[] = [];
  const stop = async (): Promise<void> => {
    for (let close = closers.pop(); close !== undefined; close = closers.pop()) await close();
  };
  try {
    const [postgres, kafka] = await Promise.all([
      startPostgres(join(folder, "postgres")),
      startKafkaBroker({ dir: join(folder, "kafka") }),
    ]);
    closers.push(
      () => postgres.dispose(),
      () => kafka.purge(),
    );
    const wires: Wire[] = [];
    const processes: ManagedProcess[] = [];
    const addWire = async (name: string, kind: Wire["kind"], port: number): Promise<TcpProxy> => {
      const proxy = await createTcpProxy({ host: "127.0.0.1", port });
      closers.push(() => proxy.close());
      wires.push({ name, kind, proxy });
      return proxy;
    };

    const replicas = {
      definition: await places("definition", 1),
      execution: await places("execution", options.executionReplicas),
      scheduler: await places("scheduler", options.schedulerReplicas),
      gateway: await places("gateway", 1),
    };
    /** Where others find a replica: through its own proxy, which its advertised address names too. */
    const fronts = new Map<string, string>();
    for (const { name, port } of Object.values(replicas).flat()) {
      const proxy = await addWire(`callers to ${name}`, "service", port);
      fronts.set(name, `http://127.0.0.1:${proxy.port}`);
    }
    const frontsOf = (service: keyof typeof replicas): string =>
      replicas[service].map(({ name }) => fronts.get(name)).join(",");
    const addresses = {
      HEDDLE_DEFINITION_ADDRESS: frontsOf("definition"),
      HEDDLE_EXECUTION_ADDRESS: frontsOf("execution"),
      HEDDLE_SCHEDULER_ADDRESS: frontsOf("scheduler"),
    };

    for (const [service, all] of Object.entries(replicas)) {
      for (const { name, port } of all) {
        const env: Record<string, string> = {
          HEDDLE_PORT: String(port),
          HEDDLE_LOG_LEVEL: "info",
          ...pickFor(service, addresses),
        };
        if (service !== "gateway") {
          const database = await addWire(`${name} to Postgres`, "database", postgres.port);
          Object.assign(env, {
            DATABASE_URL: withPort(postgres.url, database.port),
            KAFKA_BROKERS: kafka.address,
            HEDDLE_MIGRATE: "true",
            HEDDLE_TOPICS_FILE: join(ROOT, "deploy/topics.yaml"),
            HEDDLE_OWNER: name,
            HEDDLE_ADVERTISED_ADDRESS: fronts.get(name),
          });
        }
        processes.push(
          manageProcess({
            name,
            kind: "service",
            logs,
            command: () => ({ file: join(ROOT, "services", service, "src/main.ts"), env }),
            healthUrl: `http://127.0.0.1:${port}/healthz`,
          }),
        );
      }
    }
    const gateway = fronts.get("gateway-0") as string;
    for (let index = 0; index < options.workers; index++) {
      // The first comes in by the gateway, the others name the schedulers themselves: both ways must hold.
      const address = index === 0 ? gateway : addresses.HEDDLE_SCHEDULER_ADDRESS;
      processes.push(manageProcess(worker("worker", `worker-${index}`, address)));
    }

    function worker(kind: "worker" | "zombie", name: string, address: string) {
      return {
        name,
        kind: "worker" as const,
        logs,
        command: (incarnation: number) => ({
          file: join(import.meta.dirname, `../workload/${kind}-process.ts`),
          args: Object.entries({
            address,
            id: `${name}.${incarnation}`,
            folder: records,
            slots: String(kind === "zombie" ? ZOMBIE_SLOTS : slots),
          }).flatMap(([option, value]) => [`--${option}`, value]),
        }),
      };
    }

    for (const each of processes) {
      each.start();
      closers.push(() => each.stop());
    }
    const ready = async (timeoutMs: number): Promise<void> => {
      await Promise.all(processes.map((each) => each.ready(timeoutMs)));
    };
    await ready(READY_TIMEOUT_MS);
    return {
      address: gateway,
      folder,
      slots,
      postgres,
      kafka,
      processes,
      wires,
      find(name) {
        const found = processes.find((each) => each.name === name);
        if (found === undefined) throw new Error(`no process is named ${name}`);
        return found;
      },
      directAddresses: (service) => replicas[service].map(({ port }) => `http://127.0.0.1:${port}`),
      startZombie(id) {
        const zombie = manageProcess(worker("zombie", id, gateway));
        zombie.start();
        closers.push(() => zombie.stop());
        return zombie;
      },
      ready,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** More than a worker has: whoever has most free slots gets the next task. */
const ZOMBIE_SLOTS = 30;

/** Whom a service calls. Others would not know the setting. */
const CALLS: Readonly<Record<string, readonly string[]>> = {
  definition: [],
  execution: ["HEDDLE_DEFINITION_ADDRESS", "HEDDLE_SCHEDULER_ADDRESS"],
  scheduler: ["HEDDLE_EXECUTION_ADDRESS"],
  gateway: ["HEDDLE_DEFINITION_ADDRESS", "HEDDLE_EXECUTION_ADDRESS", "HEDDLE_SCHEDULER_ADDRESS"],
};

function pickFor(service: string, addresses: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries((CALLS[service] ?? []).map((name) => [name, addresses[name] as string]));
}

async function places(service: string, count: number): Promise<{ name: string; port: number }[]> {
  return await Promise.all(
    Array.from({ length: count }, async (_, index) => ({ name: `${service}-${index}`, port: await findFreePort() })),
  );
}

/**
 * Below the ranges from which systems take the ports of outgoing connections: a process that is down would lose its own
 * to one of those now and then.
 */
async function findFreePort(): Promise<number> {
  for (;;) {
    const port = randomInt(15_000, 32_000);
    const server = createServer().listen(port, "127.0.0.1");
    const isFree = await new Promise<boolean>((resolve) => {
      server.once("listening", () => resolve(true));
      server.once("error", () => resolve(false));
    });
    if (!isFree) continue;
    server.close();
    await once(server, "close");
    return port;
  }
}

function withPort(url: string, port: number): string {
  const parsed = new URL(url);
  parsed.port = String(port);
  return parsed.href;
}
