import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type KafkaBroker, startKafkaBroker } from "@heddle/broker";
import { createProxyThread, type RemoteProxy } from "../net/proxy-thread.ts";
import { manageProcess, type ManagedProcess } from "./managed-process.ts";
import { placeServices } from "./places.ts";
import { type PostgresServer, startPostgres } from "./postgres.ts";
import { connectServices, serviceCommand } from "./service-command.ts";
import { workerCommand } from "./worker-command.ts";

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
  proxy: RemoteProxy;
}

/** The suite as its operators run it: one process per replica, one Postgres, one Kafka; every wire goes through a proxy. */
export interface Suite {
  /** The gateway, for clients. */
  address: string;
  postgres: PostgresServer;
  kafka: KafkaBroker;
  processes: readonly ManagedProcess[];
  wires: readonly Wire[];
  find(name: string): ManagedProcess;
  /** A worker that answers too late; it ends with the suite, or when it is stopped. */
  startZombie(id: string): ManagedProcess;
  /** Waits until every process serves. */
  ready(timeoutMs: number): Promise<void>;
  /** Ends everything and removes the data, but for logs and records. */
  stop(): Promise<void>;
}

/** Ten processes start at once. */
const READY_TIMEOUT_MS = 120_000;
/** More than a worker has: whoever has most free slots gets the next task. */
const ZOMBIE_SLOTS = 30;

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
  const processes: ManagedProcess[] = [];
  const zombies: ManagedProcess[] = [];
  const wires: Wire[] = [];
  const proxies = createProxyThread();
  closers.push(() => proxies.close());
  const addWire = async (name: string, kind: Wire["kind"], port: number): Promise<number> => {
    const proxy = await proxies.open(port);
    wires.push({ name, kind, proxy });
    return proxy.port;
  };

  try {
    const postgres = await startPostgres(join(folder, "postgres"), logs);
    closers.push(() => postgres.dispose());
    const kafka = await startKafkaBroker({ dir: join(folder, "kafka") });
    closers.push(() => kafka.purge());

    const places = await placeServices({
      definition: 1,
      execution: options.executionReplicas,
      scheduler: options.schedulerReplicas,
      statemachine: 1,
      gateway: 1,
    });
    const fronts = new Map<string, string>();
    for (const { name, port } of places) {
      fronts.set(name, `http://127.0.0.1:${await addWire(`callers to ${name}`, "service", port)}`);
    }
    const addresses = connectServices(places, fronts);
    for (const place of places) {
      const databasePort =
        place.service === "gateway" ? 0 : await addWire(`${place.name} to Postgres`, "database", postgres.port);
      const command = serviceCommand(place, {
        addresses,
        front: fronts.get(place.name) as string,
        databaseUrl: withPort(postgres.url, databasePort),
        brokers: kafka.address,
      });
      const healthUrl = `http://127.0.0.1:${place.port}/healthz`;
      processes.push(manageProcess({ name: place.name, kind: "service", logs, command: () => command, healthUrl }));
    }
    const gateway = fronts.get("gateway-0") as string;
    for (let index = 0; index < options.workers; index++) {
      const name = `worker-${index}`;
      // The first comes in by the gateway, the others name the schedulers themselves: both ways must hold.
      const address = index === 0 ? gateway : addresses.HEDDLE_SCHEDULER_ADDRESS;
      const command = workerCommand("worker", { name, address, folder: records, slots });
      processes.push(manageProcess({ name, kind: "worker", logs, command }));
    }

    closers.push(() => Promise.all([...processes, ...zombies].map((each) => each.stop())));
    for (const each of processes) each.start();
    const ready = async (timeoutMs: number): Promise<void> => {
      await Promise.all(processes.map((each) => each.ready(timeoutMs)));
    };
    await ready(READY_TIMEOUT_MS);
    return {
      address: gateway,
      postgres,
      kafka,
      processes,
      wires,
      find(name) {
        const found = processes.find((each) => each.name === name);
        if (found === undefined) throw new Error(`no process is named ${name}`);
        return found;
      },
      startZombie(name) {
        const command = workerCommand("zombie", { name, address: gateway, folder: records, slots: ZOMBIE_SLOTS });
        const zombie = manageProcess({ name, kind: "worker", logs, command });
        zombies.push(zombie);
        zombie.start();
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

function withPort(url: string, port: number): string {
  const parsed = new URL(url);
  parsed.port = String(port);
  return parsed.href;
}
