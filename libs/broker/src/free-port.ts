import { randomInt } from "node:crypto";
import { createServer } from "node:net";

/**
 * Below the ranges that Linux (from 32768) and macOS (from 49152) take the ports of outgoing connections from: while its
 * owner is down nobody else gets the port by chance, and no client that dials it connects to itself.
 */
const RANGE = { from: 15_000, to: 32_000 };
const ATTEMPTS = 100;

/** A port of loopback on which nobody listens, and that stays its owner's over restarts. */
export async function findFreePort(): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const port = randomInt(RANGE.from, RANGE.to);
    if (await isFreePort(port)) return port;
  }
  throw new Error(
    `${ATTEMPTS} ports of 127.0.0.1 between ${RANGE.from} and ${RANGE.to} were all taken; see \`ss -tln\``,
  );
}

/** Whether nobody listens on this port of loopback. */
export function isFreePort(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
