import { type ClusterOptions, planCluster } from "./plan-cluster.ts";
import { createServiceProcess, type ServiceProcess } from "./service-process.ts";
import type { ServiceName } from "./services.ts";

/** The whole suite as processes. */
export interface Cluster {
  /** In order of start. */
  readonly processes: readonly ServiceProcess[];
  /** Where everything can be reached. */
  readonly url: string;
  /** By name, e.g. `execution-2`. @throws RangeError */
  get(name: string): ServiceProcess;
  of(service: ServiceName): ServiceProcess[];
  /** Ends all in the opposite order of their start. */
  stop(): Promise<void>;
  /** Kills all at once. */
  kill(): Promise<void>;
}

/** Starts all services, and waits until each is ready. Ends what it has started when one of them does not get there. */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const cluster = createCluster((await planCluster(options)).map((spec) => createServiceProcess(spec)));
  try {
    for (const member of cluster.processes) member.spawn();
    await Promise.all(cluster.processes.map((member) => member.waitUntilReady()));
  } catch (error) {
    await cluster.kill();
    throw error;
  }
  return cluster;
}

export function createCluster(processes: readonly ServiceProcess[]): Cluster {
  const of = (service: ServiceName) => processes.filter(({ spec }) => spec.service === service);
  return {
    processes,
    url: of("gateway")[0]?.url ?? "",
    get(name) {
      const found = processes.find((member) => member.name === name);
      if (found === undefined) {
        throw new RangeError(`there is no ${name}; there are ${processes.map((member) => member.name).join(", ")}`);
      }
      return found;
    },
    of,
    async stop() {
      // Who calls ends before who is called: nobody then waits for an answer that cannot come.
      for (const stage of [["worker", "gateway"], ["execution"], ["scheduler", "definition", "statemachine"]]) {
        await Promise.all(processes.filter(({ spec }) => stage.includes(spec.service)).map((member) => member.stop()));
      }
    },
    async kill() {
      await Promise.all(processes.map((member) => member.kill()));
    },
  };
}
