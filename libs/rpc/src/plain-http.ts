import type { ServerResponse } from "node:http";
import { METRICS_CONTENT_TYPE, type Metrics } from "@heddle/telemetry";
import type { Health } from "./health.ts";
import type { NodeHandler, NodeRequest, NodeResponse } from "./node-handler.ts";
import type { RouteTable } from "./routes.ts";

export interface PlainHttpOptions {
  table: RouteTable;
  health: Health;
  metrics?: Metrics;
  /** Pages of one server: returns false for a path that it does not know. */
  fallback?: (request: NodeRequest, response: NodeResponse) => boolean;
}

/** Everything on the port that is no RPC: `/healthz`, `/metrics`, the server's own pages, and a 404 that says what is there. */
export function createPlainHttp({ table, health, metrics, fallback }: PlainHttpOptions): NodeHandler {
  return (request, nodeResponse) => {
    // What we need of it, HTTP/2's answer has in the same form; their overloads only do not unite.
    const response = nodeResponse as ServerResponse;
    const path = request.url?.split("?", 1)[0] ?? "/";
    const isRead = request.method === "GET" || request.method === "HEAD";
    if (isRead && path === "/healthz") {
      const status = health.statusOf("");
      send(response, status === "SERVING" ? 200 : 503, "application/json", JSON.stringify({ status }));
    } else if (isRead && path === "/metrics" && metrics !== undefined) {
      send(response, 200, METRICS_CONTENT_TYPE, metrics.text());
    } else if (fallback?.(request, response) !== true) {
      refuse(path, table, request, response);
    }
  };
}

function refuse(path: string, table: RouteTable, request: NodeRequest, response: ServerResponse): void {
  const [, service = ""] = path.split("/");
  const known = table.services.find(({ typeName }) => typeName === service);
  const message =
    known === undefined
      ? `nothing is served at ${path}; services here: ${table.services.map(({ typeName }) => typeName).join(", ")}`
      : `${service} has no such method; it has ${known.methods.map(({ name }) => name).join(", ")}`;
  if (request.headers["content-type"]?.startsWith("application/grpc") === true) {
    // A gRPC client reads the status from the headers of an answer without body; HTTP's 404 would tell it less.
    response.writeHead(200, {
      "content-type": request.headers["content-type"],
      "grpc-status": "12",
      "grpc-message": encodeURIComponent(message),
    });
    response.end();
    return;
  }
  send(response, 404, "application/json", JSON.stringify({ code: "unimplemented", message }));
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { "content-type": type, "content-length": String(Buffer.byteLength(body)) });
  response.end(body);
}
