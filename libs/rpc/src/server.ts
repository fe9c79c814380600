import http from "node:http";
import http2, { type ServerHttp2Session } from "node:http2";
import type { Socket } from "node:net";
import type { Interceptor } from "@connectrpc/connect";
import { Health as HealthService } from "@heddle/proto/grpc/health/v1/health_pb.js";
import type { Logger, Metrics } from "@heddle/telemetry";
import { createDrain } from "./drain.ts";
import { createHealth, type Health } from "./health.ts";
import { createGrpcUnary, type StreamHandler } from "./grpc-unary.ts";
import { createServerInterceptors } from "./interceptors.ts";
import { keepSessionsAlive } from "./keepalive.ts";
import { DEFAULT_LIMITS, type RpcLimits } from "./limits.ts";
import { listenOn } from "./listen.ts";
import { createNodeHandler, type NodeHandler, type NodeRequest, type NodeResponse } from "./node-handler.ts";
import { peekProtocol } from "./peek.ts";
import { createPlainHttp } from "./plain-http.ts";
import { addReflection } from "./reflection.ts";
import { readRoutes, type Routes, type RouteTable } from "./routes.ts";
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

/** One cleartext port for Connect, gRPC and gRPC-Web over HTTP/1.1 and HTTP/2, with health, reflection and `/metrics`. */
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
  const { server, sessions, waiting } = createOnePort(handler, createGrpcUnary(served), limits);
  let closing: Promise<void> | undefined;

  async function close(drainMs: number): Promise<void> {
    health.drain();
    drain.start();
    const closed = new Promise<void>((resolve) => {
      server.close(() => resolve());
    });
    // Idle HTTP/1.1 connections are closed already; those that answer a last call are not kept for another one.
    server.keepAliveTimeout = 1;
    for (const socket of waiting) socket.destroy();
    for (const session of sessions) session.close();
    const cutOff = setTimeout(() => {
      for (const session of sessions) session.destroy();
      server.closeAllConnections();
    }, drainMs);
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
      return { port, url: `http://${host.includes(":") ? `[${host}]` : host}:${port}` };
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

/** The HTTP/1.1 server listens; connections that turn out to speak HTTP/2 are handed to the other one. */
function createOnePort(handler: NodeHandler, grpcUnary: StreamHandler, limits: RpcLimits) {
  const server = http.createServer({ maxHeaderSize: limits.headerMaxBytes }, handler);
  server.maxConnections = limits.connectionsMax;
  const sessions = new Set<ServerHttp2Session>();
  const waiting = new Set<Socket>();
  const multiplexed = http2.createServer(
    {
      maxSessionMemory: 128,
      streamResetBurst: limits.streamResets.burst,
      streamResetRate: limits.streamResets.perSecond,
      settings: {
        maxConcurrentStreams: limits.streamsPerSession,
        maxHeaderListSize: limits.headerMaxBytes,
        initialWindowSize: limits.streamWindowBytes,
      },
    },
    handler,
  );
  // Before Node makes request and response objects of a stream, which unary gRPC has no use for.
  const [serveRequest] = multiplexed.listeners("stream");
  multiplexed.removeAllListeners("stream");
  multiplexed.on("stream", (stream, headers, ...rest) => {
    if (!grpcUnary(stream, headers)) serveRequest?.call(multiplexed, stream, headers, ...rest);
  });
  multiplexed.on("session", (session) => {
    sessions.add(session);
    session.setLocalWindowSize(limits.sessionWindowBytes);
    session.once("close", () => sessions.delete(session));
  });

  const [serveHttp1] = server.listeners("connection");
  server.removeAllListeners("connection");
  server.on("connection", (socket) => {
    waiting.add(socket);
    const decided = () => waiting.delete(socket);
    socket.once("close", decided);
    peekProtocol(socket, limits.handshakeTimeoutMs, (protocol) => {
      decided();
      socket.off("close", decided);
      if (protocol === "http2") multiplexed.emit("connection", socket);
      else serveHttp1?.call(server, socket);
    });
  });
  return { server, sessions, waiting };
}
