import type { ServerResponse } from "node:http";
import type { NodeRequest, NodeResponse } from "./node-handler.ts";

/** What we need of an answer, those of HTTP/1.1 and HTTP/2 have in the same form; their overloads only do not unite. */
export function sendText(nodeResponse: NodeResponse, status: number, type: string, body: string): void {
  const response = nodeResponse as ServerResponse;
  response.writeHead(status, { "content-type": type, "content-length": String(Buffer.byteLength(body)) });
  response.end(body);
}

export function sendJson(response: NodeResponse, status: number, body: unknown): void {
  sendText(response, status, "application/json", JSON.stringify(body));
}

/** A gRPC client reads the status from the headers of an answer without body; HTTP's own status would tell it less. */
export function sendGrpcRefusal(request: NodeRequest, nodeResponse: NodeResponse, code: number, message: string): void {
  const response = nodeResponse as ServerResponse;
  response.setHeader("content-type", request.headers["content-type"] ?? "application/grpc");
  response.setHeader("grpc-status", String(code));
  response.setHeader("grpc-message", encodeURIComponent(message));
  // At once, so that the headers themselves end the answer: after any other end clients look for a status behind it.
  response.end();
}
