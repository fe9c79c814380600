import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import { Code, ConnectError, createConnectRouter, type Interceptor } from "@connectrpc/connect";
import {
  compressionBrotli,
  compressionGzip,
  universalRequestFromNodeRequest,
  universalResponseToNodeResponse,
} from "@connectrpc/connect-node";
import type { UniversalHandler } from "@connectrpc/connect/protocol";
import type { Logger } from "@heddle/telemetry";
import { boundDeadline } from "./deadline.ts";
import type { RpcLimits } from "./limits.ts";
import type { RouteTable } from "./routes.ts";
import { withoutFalseInternal } from "./unreadable-request.ts";

export type NodeRequest = IncomingMessage | Http2ServerRequest;
export type NodeResponse = ServerResponse | Http2ServerResponse;
export type NodeHandler = (request: NodeRequest, response: NodeResponse) => void;

export interface NodeHandlerOptions {
  table: RouteTable;
  interceptors: Interceptor[];
  limits: RpcLimits;
  logger: Logger;
  /** Takes every path that is no method of the table. */
  fallback: NodeHandler;
}

/** Serves the table's methods over Connect, gRPC and gRPC-Web, for Node's HTTP/1.1 and HTTP/2 servers alike. */
export function createNodeHandler({ table, interceptors, limits, logger, fallback }: NodeHandlerOptions): NodeHandler {
  const router = createConnectRouter({
    interceptors,
    readMaxBytes: limits.messageMaxBytes,
    writeMaxBytes: limits.messageMaxBytes,
    // Compressed requests are understood, but answers are never compressed: between services it costs a third of the CPU
    // of a busy stream and saves bytes that nobody pays for.
    acceptCompression: [compressionGzip, compressionBrotli],
    compressMinBytes: limits.messageMaxBytes,
  });
  for (const { method, impl } of table.methods.values()) router.rpc(method, impl as never);
  const handlers = new Map<string, UniversalHandler>(router.handlers.map((handler) => [handler.requestPath, handler]));

  return (request, response) => {
    const handler = handlers.get(request.url?.split("?", 1)[0] ?? "");
    if (handler === undefined) {
      fallback(request, response);
      return;
    }
    if (handler.method.methodKind === "unary") boundDeadline(handler.requestPath, request.headers, limits);
    serve(handler, request, response).catch((error: unknown) => {
      // The answer could not be written: nearly always because the client has gone. The call itself is logged elsewhere.
      if (ConnectError.from(error).code === Code.Aborted) return;
      logger.debug({ err: error, method: handler.requestPath }, "an answer could not be written");
      response.destroy();
    });
  };
}

async function serve(handler: UniversalHandler, request: NodeRequest, response: NodeResponse): Promise<void> {
  const universal = universalRequestFromNodeRequest(request, response as ServerResponse, undefined, undefined);
  await universalResponseToNodeResponse(await withoutFalseInternal(await handler(universal)), response);
}
