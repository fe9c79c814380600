import type { Suite } from "./start-suite.ts";

/** Memory of the services over a run, as the system counts it. */
export interface MemoryWatch {
  stop(): void;
  /** The most of each service, for people. */
  peaks(): Record<string, string>;
}

const INTERVAL_MS = 500;
const MB = 2 ** 20;

export function watchMemory({ processes }: Pick<Suite, "processes">): MemoryWatch {
  const peaks = new Map<string, number>();
  const timer = setInterval(() => {
    for (const each of processes) {
      const bytes = each.kind === "service" ? each.residentBytes() : undefined;
      if (bytes !== undefined) peaks.set(each.name, Math.max(bytes, peaks.get(each.name) ?? 0));
    }
  }, INTERVAL_MS);
  return {
    stop: () => clearInterval(timer),
    peaks: () =>
      Object.fromEntries([...peaks].map(([name, bytes]) => [`most memory of ${name}`, `${Math.round(bytes / MB)} MB`])),
  };
}
