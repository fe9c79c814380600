import { Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";
import {
  HealthCheckResponse_ServingStatus as Wire,
  type Health as HealthService,
} from "@heddle/proto/grpc/health/v1/health_pb.js";
import { createPushable, type Pushable } from "./pushable.ts";

export type HealthStatus = "SERVING" | "NOT_SERVING";

/** What the server says of itself to probes and load balancers. */
export interface Health {
  /** The status of one service, or of the whole server under the name "". Undefined for an unknown one. */
  statusOf(service: string): HealthStatus | undefined;
  set(service: string, status: HealthStatus): void;
  /** Everything is NOT_SERVING from now on; later calls of `set` change nothing. */
  drain(): void;
  /** The implementation of grpc.health.v1.Health over this state. */
  readonly service: ServiceImpl<typeof HealthService>;
}

/** Health of a server; it serves from the start unless `set("", "NOT_SERVING")` says otherwise. */
export function createHealth(): Health {
  const statuses = new Map<string, HealthStatus>([["", "SERVING"]]);
  const watchers = new Map<string, Set<Pushable<Wire>>>();
  let draining = false;

  const publish = (service: string) => {
    for (const watcher of watchers.get(service) ?? []) watcher.push(wireStatus(statuses.get(service)));
  };
  const set = (service: string, status: HealthStatus) => {
    if (draining || statuses.get(service) === status) return;
    statuses.set(service, status);
    publish(service);
  };
  const service: ServiceImpl<typeof HealthService> = {
    check({ service }) {
      const status = statuses.get(service);
      if (status === undefined) throw unknownService(service, statuses.keys());
      return { status: wireStatus(status) };
    },
    list() {
      const entries = [...statuses].map(([name, status]) => [name, { status: wireStatus(status) }] as const);
      return { statuses: Object.fromEntries(entries) };
    },
    async *watch({ service }, { signal }) {
      const watched = watchers.get(service) ?? new Set();
      watchers.set(service, watched);
      const changes = createPushable<Wire>({ signal });
      watched.add(changes);
      try {
        // The protocol wants SERVICE_UNKNOWN here, not an error: the service may be registered later.
        changes.push(wireStatus(statuses.get(service)));
        for await (const status of changes) yield { status };
      } finally {
        watched.delete(changes);
        if (watched.size === 0) watchers.delete(service);
      }
    },
  };

  return {
    statusOf: (service) => statuses.get(service),
    set,
    drain() {
      for (const service of statuses.keys()) set(service, "NOT_SERVING");
      draining = true;
    },
    service,
  };
}

function wireStatus(status: HealthStatus | undefined): Wire {
  if (status === undefined) return Wire.SERVICE_UNKNOWN;
  return status === "SERVING" ? Wire.SERVING : Wire.NOT_SERVING;
}

/** Not one of our reasons: NOT_FOUND alone is what grpc.health.v1 promises. */
function unknownService(service: string, known: Iterable<string>): ConnectError {
  const names = [...known].filter((name) => name !== "").join(", ");
  return new ConnectError(`this server has no service "${service}"; it has ${names}`, Code.NotFound);
}
