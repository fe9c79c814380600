import type { Interceptor } from "@connectrpc/connect";
import { Health as HealthService } from "@heddle/proto/grpc/health/v1/health_pb.js";
import type { Logger, Metrics } from "@heddle/telemetry";
import { createDrain } from "./drain.ts";
import { createHealth, type Health } from "./health.ts";
import { createGrpcUnary } from "./grpc-unary.ts";
import { createServerInterceptors } from "./interceptors.ts";
import { keepSessionsAlive } from "./keepalive.ts";
import { DEFAULT_LIMITS, type RpcLimits } from "./limits.ts";
import { listenOn } from "./listen.ts";
import { createNodeHandler, type NodeHandlerOptions, type NodeRequest, type NodeResponse } from "./node-handler.ts";
import { createOnePort, type PortHandlers } from "./one-port.ts";
import { createPlainHttp } from "./plain-http.ts";
import { addReflection } from "./reflection.ts";
import { readRoutes, type Routes, type RouteTable } from "./routes.ts";
import { refuseCall } from "./tls/refuse-call.ts";
import type { ServerTls } from "./tls/server-tls.ts";
import type { ValidationOptions } from "./validation.ts";

export interface CreateServerOptions {
  routes: Routes;
  logger: Logger;
  /** 0 (the default) takes a free port. */
  port?: number;
  /** Default 127.0.0.1: a server that anyone may reach is a decision. */
  host?: string;
  /** When the port is taken, this many following ports are tried as well. Default 0. */
  portFallback?: number;
  limits?: Partial<RpcLimits>;
  /** Inside the error boundary, before validation; the first is the outermost. */
  interceptors?: Interceptor[];
  validation?: ValidationOptions;
  /** Default: a health that says SERVING for every service of `routes`. */
  health?: Health;
  /** Default true: schemas are no secret, and tools need them. */
  reflection?: boolean;
  /** Given, `/metrics` is served and calls are counted. */
  metrics?: Metrics;
  /** Given, calls come by TLS; the same port tells it from cleartext by the first bytes. */
  tls?: ServerTls | undefined;
  /** Pages that are no RPC; returns false for a path that it does not know. */
  fallback?: (request: NodeRequest, response: NodeResponse) => boolean;
}

export interface RpcServer {
  /** @throws DomainError `CONFIG_INVALID` */
  listen(): Promise<{ port: number; url: string }>;
  /**
   * Health says NOT_SERVING, no connection is taken any more, unary calls finish, streams end with UNAVAILABLE; what
   * still runs after `drainMs` is cut off. Resolves when every connection is closed. May be called again.
   */
  close(options?: { drainMs?: number }): Promise<void>;
  readonly health: Health;
}

/**
 * One port for Connect, gRPC and gRPC-Web over HTTP/1.1 and HTTP/2, with health, reflection and `/metrics`: in cleartext, or
 * by TLS.
 */
export function createServer(options: CreateServerOptions): RpcServer {
  const limits: RpcLimits = { ...DEFAULT_LIMITS, ...options.limits };
  const health = options.health ?? createHealth();
  const drain = createDrain();
  const table = completeTable(options, health);
  const served = {
    table,
    limits,
    logger: options.logger,
    interceptors: createServerInterceptors({ ...options, drain }),
  };
  const handler = createNodeHandler({
    ...served,
    fallback: createPlainHttp({ table, health, metrics: options.metrics, fallback: options.fallback }),
  });
  const port = createOnePort({
    handlers: { handler, grpcUnary: createGrpcUnary(served) },
    tls: options.tls && { server: options.tls, probes: probeHandlers(options, served, health) },
    limits,
    logger: options.logger,
  });
  const { server, sessions } = port;
  let closing: Promise<void> | undefined;

  async function close(drainMs: number): Promise<void> {
    health.drain();
    drain.start();
    const closed = new Promise<void>((resolve) => {
      server.close(() => resolve());
    });
    port.closeIdle();
    const cutOff = setTimeout(() => port.destroy(), drainMs);
    await closed;
    clearTimeout(cutOff);
    drain.finish();
  }

  return {
    health,
    async listen() {
      const host = options.host ?? "127.0.0.1";
      const port = await listenOn(server, { host, port: options.port ?? 0, portFallback: options.portFallback ?? 0 });
      const keepalive = keepSessionsAlive(sessions, limits);
      server.once("close", () => keepalive.stop());
      const scheme = options.tls === undefined ? "http" : "https";
      return { port, url: `${scheme}://${host.includes(":") ? `[${host}]` : host}:${port}` };
    },
    close({ drainMs = limits.drainMs } = {}) {
      closing ??= close(drainMs);
      return closing;
    },
  };
}

function completeTable({ routes, reflection = true }: CreateServerOptions, health: Health): RouteTable {
  const own = readRoutes(routes);
  for (const { typeName } of own.services) {
    if (health.statusOf(typeName) === undefined) health.set(typeName, "SERVING");
  }
  return readRoutes(routes, (router) => {
    router.service(HealthService, health.service);
    if (reflection) addReflection(router, [...own.services, HealthService]);
  });
}

/** What a server with TLS answers on connections that may not call. */
function probeHandlers(
  { metrics, fallback }: CreateServerOptions,
  served: Omit<NodeHandlerOptions, "fallback">,
  health: Health,
): PortHandlers {
  const table = readRoutes((router) => router.service(HealthService, health.service));
  const pages = createPlainHttp({
    table,
    health,
    metrics,
    fallback: (request, response) => fallback?.(request, response) === true || refuseCall(request, response),
  });
  const probed = { ...served, table };
  return { handler: createNodeHandler({ ...probed, fallback: pages }), grpcUnary: createGrpcUnary(probed) };
}
