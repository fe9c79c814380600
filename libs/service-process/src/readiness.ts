import type { Interceptor } from "@connectrpc/connect";
import { DomainError } from "@heddle/errors";
import type { Health } from "@heddle/rpc";
import { STARTING_RETRY_AFTER_MS } from "./limits.ts";

/** What `grpc.health.v1` calls the process itself: SERVING while its event loop turns, whatever becomes of its database. */
const LIVENESS = "liveness";

/** Whether the process can answer calls yet: what probes see, and what keeps calls out until then. */
export interface Readiness {
  interceptor: Interceptor;
  /** From now on health says SERVING, and calls pass. */
  ready(): void;
}

/**
 * Until `ready`, health says NOT_SERVING and calls are refused with UNAVAILABLE, but for health and reflection. The port
 * is open all the same, so that probes can tell a process which waits for its database from one that hangs.
 */
export function createReadiness(service: string, health: Health): Readiness {
  let isReady = false;
  health.set("", "NOT_SERVING");
  health.set(LIVENESS, "SERVING");
  return {
    interceptor: (next) => (request) => {
      if (isReady || request.service.typeName.startsWith("grpc.")) return next(request);
      throw new DomainError({
        kind: "unavailable",
        reason: "DEPENDENCY_UNAVAILABLE",
        message: `the ${service} service is starting: it waits for its database or acquires what it owns; repeat the request`,
        metadata: { service },
        retryAfterMs: STARTING_RETRY_AFTER_MS,
      });
    },
    ready() {
      isReady = true;
      health.set("", "SERVING");
    },
  };
}
