import { serversUnderTest, type TestServer } from "@heddle/testing";
import { describe, expect, test } from "vitest";

/** The suite on every server; on one that is not here it is skipped, with the remedy in the test's name. */
export function describeOnServers(title: string, suite: (server: TestServer) => void): void {
  for (const server of serversUnderTest()) {
    const { remedy } = server;
    describe(`${title} on ${server.name}`, () => (remedy === undefined ? suite(server) : skipped(remedy)));
  }
}

function skipped(remedy: string): void {
  test(`needs: ${remedy}`, (context) => {
    context.skip(remedy);
    expect.unreachable();
  });
}
