import { afterEach, beforeEach } from "vitest";
import { type FakeServer, startFakeServer } from "./fake-server.ts";
import { heddle } from "./run-heddle.ts";

export interface UsedServer {
  /** The server of the test under way. */
  readonly server: FakeServer;
  /** Runs `heddle` with these arguments against it. */
  call(...argv: string[]): ReturnType<typeof heddle>;
  lastRequest(method: string): Record<string, unknown> | undefined;
}

/** A fresh fake server for each test of a file or a `describe`. */
export function useFakeServer(): UsedServer {
  let server: FakeServer;
  beforeEach(async () => {
    server = await startFakeServer();
  });
  afterEach(() => server.close());
  return {
    get server() {
      return server;
    },
    call: (...argv) => heddle(argv, { address: server.url }),
    lastRequest: (method) => server.requests.findLast((entry) => entry.method === method)?.request,
  };
}
