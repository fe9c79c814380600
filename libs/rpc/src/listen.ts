import type { AddressInfo, Server } from "node:net";
import { DomainError } from "@heddle/errors";

export interface ListenOptions {
  host: string;
  port: number;
  /** How many following ports may be tried when `port` is taken. */
  portFallback: number;
}

/** Binds the server and says which port it got. @throws DomainError `CONFIG_INVALID` */
export async function listenOn(server: Server, { host, port, portFallback }: ListenOptions): Promise<number> {
  for (let candidate = port; ; candidate += 1) {
    try {
      return await bind(server, host, candidate);
    } catch (error) {
      if (!isAddressInUse(error)) throw error;
      if (candidate >= port + portFallback) throw addressInUse(host, port, candidate, error);
    }
  }
}

function bind(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port }, () => {
      server.off("error", reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

function isAddressInUse(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EADDRINUSE";
}

function addressInUse(host: string, first: number, last: number, cause: unknown): DomainError {
  const ports = first === last ? `port ${first}` : `ports ${first} to ${last}`;
  return new DomainError({
    kind: "failed_precondition",
    reason: "CONFIG_INVALID",
    message: `${ports} of ${host} ${first === last ? "is" : "are all"} taken by another process; stop it or choose another port`,
    metadata: { host, port: String(first) },
    cause,
  });
}
