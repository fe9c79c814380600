import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { servicePorts } from "@heddle/service-process";
import { findFreePort } from "./free-port.ts";
import type { ProcessSpec } from "./service-process.ts";
import { type ServiceName, SERVICES } from "./services.ts";

export interface ClusterOptions {
  databaseUrl: string;
  /** host:port */
  kafkaBrokers: readonly string[];
  /** Each process logs to `<logDir>/<name>.log`. */
  logDir: string;
  /** Default 1 of each. Execution, scheduler and statemachine share work among replicas; workers may be several as well, or none. */
  replicas?: Partial<Record<"execution" | "scheduler" | "statemachine" | "worker", number>>;
  /** `default` is what each service listens on by itself, further replicas 10 higher; `free` takes free ones. Default `free`. */
  ports?: "default" | "free";
  /** For all processes. */
  env?: Readonly<Record<string, string>>;
  /** For those of one service. */
  envOf?: Partial<Record<ServiceName, Readonly<Record<string, string>>>>;
  nodeArguments?: readonly string[];
  detached?: boolean;
}

const TOPICS_FILE = fileURLToPath(new URL("../topics.yaml", import.meta.url));

/** Which processes there are to be, in order of start, and how each finds the others. */
export async function planCluster(options: ClusterOptions): Promise<ProcessSpec[]> {
  const members = await listMembers(options);
  const addresses = (service: ServiceName): string =>
    members
      .filter((member) => member.service === service)
      .map(({ port }) => `http://127.0.0.1:${port}`)
      .join(",");
  // The same for all: a service reads what it knows.
  const settings = {
    DATABASE_URL: options.databaseUrl,
    KAFKA_BROKERS: options.kafkaBrokers.join(","),
    HEDDLE_TOPICS_FILE: TOPICS_FILE,
    HEDDLE_MIGRATE: "true",
    HEDDLE_DEFINITION_ADDRESS: addresses("definition"),
    HEDDLE_EXECUTION_ADDRESS: addresses("execution"),
    HEDDLE_SCHEDULER_ADDRESS: addresses("scheduler"),
    HEDDLE_STATEMACHINE_ADDRESS: addresses("statemachine"),
  };
  return members.map(({ service, name, port }) => ({
    service,
    name,
    port,
    env: {
      ...settings,
      HEDDLE_OWNER: name,
      // One hop less than by the gateway, which is for workers from outside.
      ...(service === "worker" && { HEDDLE_ADDRESS: addresses("scheduler") }),
      ...options.env,
      ...options.envOf?.[service],
    },
    logFile: join(options.logDir, `${name}.log`),
    nodeArguments: options.nodeArguments,
    detached: options.detached,
  }));
}

interface Member {
  service: ServiceName;
  name: string;
  port: number;
}

async function listMembers({ replicas = {}, ports = "free" }: ClusterOptions): Promise<Member[]> {
  const members: Member[] = [];
  const taken = new Set<number>();
  for (const service of SERVICES) {
    const count = (replicas as Partial<Record<ServiceName, number>>)[service] ?? 1;
    for (let replica = 1; replica <= count; replica++) {
      let port = servicePorts[service] + 10 * (replica - 1);
      if (ports === "free") {
        do port = await findFreePort();
        while (taken.has(port));
      }
      taken.add(port);
      members.push({ service, name: count === 1 ? service : `${service}-${replica}`, port });
    }
  }
  return members;
}
