import http, { type Server } from "node:http";
import http2, { type ServerHttp2Session } from "node:http2";
import type { Socket } from "node:net";
import type { Logger } from "@heddle/telemetry";
import type { StreamHandler } from "./grpc-unary.ts";
import type { RpcLimits } from "./limits.ts";
import type { NodeHandler } from "./node-handler.ts";
import { peekProtocol } from "./peek.ts";
import { createTlsLayer, type ServerTls } from "./tls/server-tls.ts";

/** What answers on a connection. */
export interface PortHandlers {
  handler: NodeHandler;
  /** Asked first for each stream of HTTP/2; false leaves it to `handler`. */
  grpcUnary: StreamHandler;
}

interface OnePortOptions {
  handlers: PortHandlers;
  tls?: { server: ServerTls /** For its cleartext connections. */; probes: PortHandlers } | undefined;
  limits: RpcLimits;
  logger: Logger;
}

interface OnePort {
  readonly server: Server;
  /** Those of HTTP/2 that are open. */
  readonly sessions: ReadonlySet<ServerHttp2Session>;
  /** After `server.close()`: calls finish, and connections without any end. */
  closeIdle(): void;
  /** Cuts off what is left. */
  destroy(): void;
}

/** HTTP/1.1 and HTTP/2 over connections that somebody else has taken. */
interface Lane {
  readonly http1: Server;
  serve(socket: Socket, protocol: "http1" | "http2"): void;
}

/** A server that tells by the first bytes of a connection what it speaks. */
export function createOnePort({ handlers, tls, limits, logger }: OnePortOptions): OnePort {
  const sessions = new Set<ServerHttp2Session>();
  const waiting = new Set<Socket>();
  const calls = createLane(handlers, sessions, limits);
  // For connections that may not call.
  const probes = tls && createLane(tls.probes, sessions, limits);
  const lanes = probes === undefined ? [calls] : [calls, probes];
  // The HTTP/1.1 server listens; connections that turn out to speak something else are handed on.
  const server = calls.http1;
  server.maxConnections = limits.connectionsMax;

  // Its limits of time begin with this, and it never listens itself.
  probes?.http1.emit("listening");
  const cleartext = laneOfCleartext(tls?.server, calls, probes);
  const layer =
    tls &&
    createTlsLayer(tls.server, limits, logger, (socket, mayCall) => {
      const lane = mayCall ? calls : probes;
      lane?.serve(socket, socket.alpnProtocol === "h2" ? "http2" : "http1");
    });

  server.on("connection", (socket) => {
    waiting.add(socket);
    const decided = () => waiting.delete(socket);
    socket.once("close", decided);
    peekProtocol(socket, limits.handshakeTimeoutMs, (protocol) => {
      decided();
      socket.off("close", decided);
      if (protocol === "tls" && layer !== undefined) layer.take(socket);
      else if (cleartext === undefined) socket.destroy();
      else cleartext.serve(socket, protocol === "http2" ? "http2" : "http1");
    });
  });

  return {
    server,
    sessions,
    closeIdle() {
      for (const { http1 } of lanes) {
        // Those that answer a last call are not kept for another one.
        http1.keepAliveTimeout = 1;
        http1.closeIdleConnections();
        // Ends its timer. The one that listens is closed already.
        if (http1 !== server) http1.close();
      }
      for (const socket of waiting) socket.destroy();
      for (const session of sessions) session.close();
      layer?.close();
    },
    destroy() {
      for (const session of sessions) session.destroy();
      for (const { http1 } of lanes) http1.closeAllConnections();
    },
  };
}

function laneOfCleartext(tls: ServerTls | undefined, calls: Lane, probes: Lane | undefined): Lane | undefined {
  if (tls === undefined || tls.cleartext === "all") return calls;
  return tls.cleartext === "none" ? undefined : probes;
}

function createLane({ handler, grpcUnary }: PortHandlers, sessions: Set<ServerHttp2Session>, limits: RpcLimits): Lane {
  const http1 = http.createServer({ maxHeaderSize: limits.headerMaxBytes }, handler);
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
  const [serveHttp1] = http1.listeners("connection");
  http1.removeAllListeners("connection");
  return {
    http1,
    serve(socket, protocol) {
      if (protocol === "http2") multiplexed.emit("connection", socket);
      else serveHttp1?.call(http1, socket);
    },
  };
}
