import { serversUnderTest, type TestServer } from "@heddle/testing";
import { describe, test } from "vitest";

/** The suite on every server; on one that is not here it is skipped, with the remedy in the test's name. */
export function describeOnServers(title: string, suite: (server: TestServer) => void): void {
  for (const server of serversUnderTest()) {
    describe(`${title} on ${server.name}`, () => {
      const { remedy } = server;
      if (remedy === undefined) suite(server);
      else test(`needs: ${remedy}`, (context) => context.skip(remedy));
    });
  }
}
