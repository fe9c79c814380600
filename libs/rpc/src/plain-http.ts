import { METRICS_CONTENT_TYPE, type Metrics } from "@heddle/telemetry";
import type { Health } from "./health.ts";
import type { NodeHandler, NodeRequest, NodeResponse } from "./node-handler.ts";
import type { RouteTable } from "./routes.ts";
import { sendGrpcRefusal, sendJson, sendText } from "./send.ts";

export interface PlainHttpOptions {
  table: RouteTable;
  health: Health;
  metrics?: Metrics;
  /** Pages of one server: returns false for a path that it does not know. */
  fallback?: (request: NodeRequest, response: NodeResponse) => boolean;
}

/** Everything on the port that is no RPC: `/healthz`, `/metrics`, the server's own pages, and a 404 that says what is there. */
export function createPlainHttp({ table, health, metrics, fallback }: PlainHttpOptions): NodeHandler {
  return (request, response) => {
    const path = request.url?.split("?", 1)[0] ?? "/";
    const isRead = request.method === "GET" || request.method === "HEAD";
    if (isRead && path === "/healthz") {
      const status = health.statusOf("");
      sendJson(response, status === "SERVING" ? 200 : 503, { status });
    } else if (isRead && path === "/metrics" && metrics !== undefined) {
      sendText(response, 200, METRICS_CONTENT_TYPE, metrics.text());
    } else if (fallback?.(request, response) !== true) {
      refuse(path, table, request, response);
    }
  };
}

function refuse(path: string, table: RouteTable, request: NodeRequest, response: NodeResponse): void {
  const [, service = ""] = path.split("/");
  const known = table.services.find(({ typeName }) => typeName === service);
  const message =
    known === undefined
      ? `nothing is served at ${path}; services here: ${table.services.map(({ typeName }) => typeName).join(", ")}`
      : `${service} has no such method; it has ${known.methods.map(({ name }) => name).join(", ")}`;
  if (request.headers["content-type"]?.startsWith("application/grpc") === true) {
    sendGrpcRefusal(request, response, 12, message);
  } else {
    sendJson(response, 404, { code: "unimplemented", message });
  }
}
