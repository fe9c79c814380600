import { fileURLToPath } from "node:url";

/** The services of the suite, in the order in which they are of use to each other. */
export const SERVICES = ["definition", "scheduler", "execution", "statemachine", "gateway", "worker"] as const;

export type ServiceName = (typeof SERVICES)[number];

export function mainOf(service: ServiceName): string {
  return fileURLToPath(new URL(`../../services/${service}/src/main.ts`, import.meta.url));
}
