import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Command } from "./managed-process.ts";
import type { Place, ServiceName } from "./places.ts";

/** Where services find each other, as their settings name it. */
export interface Addresses {
  HEDDLE_DEFINITION_ADDRESS: string;
  HEDDLE_EXECUTION_ADDRESS: string;
  HEDDLE_SCHEDULER_ADDRESS: string;
  HEDDLE_STATEMACHINE_ADDRESS: string;
}

/** What one process needs to know. */
export interface Surroundings {
  addresses: Addresses;
  /** Where others find it: its proxy. */
  front: string;
  databaseUrl: string;
  brokers: string;
}

/**
 * Images hold one compiled file for each service; here hundreds of sources are read. What Node has made of them is kept for
 * the next start, so that a restart costs about what it does in an image. Filled when a process ends in order.
 */
const COMPILE_CACHE = join(tmpdir(), "heddle-chaos-compile-cache");

const ROOT = resolve(import.meta.dirname, "../../..");

/** @param fronts the proxies before the replicas, by name */
export function connectServices(places: readonly Place[], fronts: ReadonlyMap<string, string>): Addresses {
  const frontsOf = (service: ServiceName): string =>
    places
      .filter((place) => place.service === service)
      .map(({ name }) => fronts.get(name))
      .join(",");
  return {
    HEDDLE_DEFINITION_ADDRESS: frontsOf("definition"),
    HEDDLE_EXECUTION_ADDRESS: frontsOf("execution"),
    HEDDLE_SCHEDULER_ADDRESS: frontsOf("scheduler"),
    HEDDLE_STATEMACHINE_ADDRESS: frontsOf("statemachine"),
  };
}

/** How an operator would start it. Settings that a service does not know do not matter to it. */
export function serviceCommand({ service, name, port }: Place, surroundings: Surroundings): Command {
  const { addresses, front, databaseUrl, brokers } = surroundings;
  return {
    file: join(ROOT, "services", service, "src/main.ts"),
    env: {
      ...addresses,
      NODE_COMPILE_CACHE: COMPILE_CACHE,
      HEDDLE_PORT: String(port),
      HEDDLE_LOG_LEVEL: "info",
      HEDDLE_OWNER: name,
      HEDDLE_ADVERTISED_ADDRESS: front,
      HEDDLE_MIGRATE: "true",
      HEDDLE_TOPICS_FILE: join(ROOT, "deploy/topics.yaml"),
      DATABASE_URL: databaseUrl,
      KAFKA_BROKERS: brokers,
    },
  };
}
