import { createServer } from "node:net";
import { hostname } from "node:os";

/** Who a process is among the replicas of its service. */
export interface Replica {
  owner: string;
  /** Where the others reach it, `http://host:port` or `https://host:port`. */
  address: string;
}

export interface ReplicaValues {
  HEDDLE_HOST: string;
  HEDDLE_OWNER?: string;
  HEDDLE_ADVERTISED_ADDRESS?: string;
  HEDDLE_ADVERTISED_HOST?: string;
}

const WILDCARDS = new Set(["0.0.0.0", "::", "*"]);

/** What the settings leave open follows from where the process listens. */
export function replicaOf(values: ReplicaValues, port: number, scheme: "http" | "https" = "http"): Replica {
  const { HEDDLE_HOST: host } = values;
  const reachable = values.HEDDLE_ADVERTISED_HOST ?? (WILDCARDS.has(host) ? hostname() : host);
  return {
    owner: values.HEDDLE_OWNER ?? `${hostname()}-${port}`,
    address:
      values.HEDDLE_ADVERTISED_ADDRESS?.replace(/\/$/, "") ??
      `${scheme}://${reachable.includes(":") ? `[${reachable}]` : reachable}:${port}`,
  };
}

/** A port that is free now, for a process which must know its own address before it listens there. */
export function findFreePort(host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, host, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}
