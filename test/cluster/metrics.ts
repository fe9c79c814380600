import { servicePorts } from "@heddle/service-process";
import { isReady } from "./kube.ts";
import type { Session } from "./session.ts";

/** A number of each ready pod of a service. */
export async function readGauge(
  { kube }: Session,
  service: keyof typeof servicePorts,
  metric: string,
): Promise<Map<string, number>> {
  const values = new Map<string, number>();
  for (const pod of (await kube.listPods(service)).filter(isReady)) {
    const page = await kube.getFromPod(pod.metadata.name, servicePorts[service], "/metrics");
    const value = new RegExp(`^${metric} (\\S+)$`, "m").exec(page)?.[1];
    if (value !== undefined) values.set(pod.metadata.name, Number(value));
  }
  return values;
}

export function sum(values: Iterable<number>): number {
  return [...values].reduce((total, value) => total + value, 0);
}
