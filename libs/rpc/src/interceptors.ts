import type { Interceptor } from "@connectrpc/connect";
import type { Logger, Metrics } from "@heddle/telemetry";
import { createErrorBoundary } from "./boundary.ts";
import { createCancellation } from "./cancellation.ts";
import type { Drain } from "./drain.ts";
import { createObservation } from "./observation.ts";
import { createValidation, type ValidationOptions } from "./validation.ts";

export interface ServerInterceptorOptions {
  logger: Logger;
  metrics?: Metrics;
  drain: Drain;
  /** Ours of one server (authentication, forwarding): inside the error boundary, before validation. */
  interceptors?: Interceptor[];
  validation?: ValidationOptions;
}

/**
 * What every call passes, from the outside in. Observation is outermost, so that it counts what the caller sees; the
 * boundary is outside everything that may throw.
 */
export function createServerInterceptors(options: ServerInterceptorOptions): Interceptor[] {
  return [
    createObservation(options),
    createErrorBoundary(options.logger),
    createCancellation(options.drain),
    ...(options.interceptors ?? []),
    createValidation(options.validation),
  ];
}
