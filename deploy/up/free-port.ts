import { randomInt } from "node:crypto";
import { createServer } from "node:net";

/**
 * Below the ranges from which systems take the ports of outgoing connections: while a process is down nobody else gets
 * its port by chance.
 */
const RANGE = { from: 15_000, to: 32_000 };
const ATTEMPTS = 100;

/** A port of loopback on which nobody listens, for a process that keeps it over restarts. */
export async function findFreePort(): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const port = randomInt(RANGE.from, RANGE.to);
    if (await isFree(port)) return port;
  }
  throw new Error(
    `${ATTEMPTS} ports of 127.0.0.1 between ${RANGE.from} and ${RANGE.to} were all taken; see \`ss -tln\``,
  );
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
