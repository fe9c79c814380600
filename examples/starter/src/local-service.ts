import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A small HTTP service on this machine, for the steps of an example to talk to. */
export interface LocalService {
  url: string;
  /** What HEDDLE_HTTP_ALLOW must say, as workers do not reach into private networks by themselves. */
  allow: string;
  close(): Promise<void>;
}

/** Answers with what `answer` returns, as JSON, on a free port. */
export async function startLocalService(
  answer: (
    request: IncomingMessage,
    url: URL,
  ) => { status: number; body: unknown } | Promise<{ status: number; body: unknown }>,
): Promise<LocalService> {
  const server = createServer((request, response) => {
    void respond(request, response);
  });
  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const { status, body } = await answer(request, new URL(request.url ?? "/", "http://localhost"));
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    } catch (error) {
      response.writeHead(500, { "content-type": "application/json" }).end(JSON.stringify({ error: String(error) }));
    }
  }
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const allow = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: `http://${allow}`,
    allow,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
