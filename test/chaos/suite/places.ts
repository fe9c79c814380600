import { findFreePort } from "@heddle/testing";

export type ServiceName = "definition" | "execution" | "scheduler" | "statemachine" | "gateway";

/** Where one replica of a service listens, over all its restarts. */
export interface Place {
  service: ServiceName;
  /** `<service>-<number from 0>` */
  name: string;
  port: number;
}

export async function placeServices(replicas: Readonly<Record<ServiceName, number>>): Promise<Place[]> {
  const places: Place[] = [];
  for (const [service, count] of Object.entries(replicas)) {
    for (let index = 0; index < count; index++) {
      places.push({ service: service as ServiceName, name: `${service}-${index}`, port: await findPort(places) });
    }
  }
  return places;
}

async function findPort(places: readonly Place[]): Promise<number> {
  for (;;) {
    const free = await findFreePort();
    if (places.every(({ port }) => port !== free)) return free;
  }
}
