import { randomInt } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";

export type ServiceName = "definition" | "execution" | "scheduler" | "statemachine" | "gateway";

/** Where one replica of a service listens, over all its restarts. */
export interface Place {
  service: ServiceName;
  /** `<service>-<number from 0>` */
  name: string;
  port: number;
}

/**
 * Below the ranges from which systems take the ports of outgoing connections: a process that is down would lose its own
 * to one of those now and then.
 */
const PORTS = { from: 15_000, to: 32_000 };

export async function placeServices(replicas: Readonly<Record<ServiceName, number>>): Promise<Place[]> {
  const places: Place[] = [];
  for (const [service, count] of Object.entries(replicas)) {
    for (let index = 0; index < count; index++) {
      const taken = new Set(places.map(({ port }) => port));
      places.push({ service: service as ServiceName, name: `${service}-${index}`, port: await findFreePort(taken) });
    }
  }
  return places;
}

async function findFreePort(taken: ReadonlySet<number>): Promise<number> {
  for (;;) {
    const port = randomInt(PORTS.from, PORTS.to);
    if (!taken.has(port) && (await isFree(port))) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, "127.0.0.1");
  try {
    await once(server, "listening");
  } catch {
    return false;
  }
  server.close();
  await once(server, "close");
  return true;
}
