import type { Dial, RpcTransport } from "@heddle/rpc";

/** Addresses of replicas that are remembered; the one that was learned first goes. */
const MAX_ADDRESSES = 16;

/** The replicas of the scheduler, as far as their refusals have told. One for all links of a process. */
export interface Replicas {
  learn(address: string): void;
  /**
   * Where to try next: at the address that a refusal has just named; else, by turns with the number of failures in a row,
   * the service's own address and each known replica, because the former may lead to one that is dead.
   */
  choose(named: string | undefined, failures: number): { transport: RpcTransport; address: string };
}

export function createReplicas(service: RpcTransport, dial: Dial | undefined): Replicas {
  const known = new Set<string>();
  return {
    learn(address) {
      if (dial === undefined || known.has(address)) return;
      known.add(address);
      for (const oldest of known) {
        if (known.size <= MAX_ADDRESSES) break;
        known.delete(oldest);
      }
    },
    choose(named, failures) {
      const address = named ?? ["", ...known][failures % (known.size + 1)] ?? "";
      if (address === "" || dial === undefined) return { transport: service, address: "" };
      return { transport: dial(address), address };
    },
  };
}
