import type { Dial, RpcTransport } from "@heddle/rpc";

/** Addresses of replicas that are remembered; the one that was learned first goes. */
const MAX_ADDRESSES = 16;

/** The replicas of the scheduler, as far as their refusals have told. One for all links of a process. */
export interface Replicas {
  learn(address: string): void;
  /** Nothing came from there for too long. It is avoided until something does. */
  suspect(address: string): void;
  trust(address: string): void;
  /**
   * Where to try after `last`: at the address that a refusal has just named; else, by turns, the service's own address
   * (empty) and each known replica, because the former may lead to one that is dead. While some are suspect the known
   * others come first: the service's address may lead to a suspect.
   */
  choose(named: string | undefined, last: string | undefined): { transport: RpcTransport; address: string };
}

export function createReplicas(service: RpcTransport, dial: Dial | undefined): Replicas {
  const known = new Set<string>();
  const suspects = new Set<string>();

  const listChoices = (): string[] => {
    const trusted = [...known].filter((address) => !suspects.has(address));
    const doubtful = [...known].filter((address) => suspects.has(address));
    return suspects.size === 0 ? ["", ...trusted] : [...trusted, "", ...doubtful];
  };

  return {
    learn(address) {
      if (dial === undefined || known.has(address)) return;
      known.add(address);
      for (const oldest of known) {
        if (known.size <= MAX_ADDRESSES) break;
        known.delete(oldest);
        suspects.delete(oldest);
      }
    },
    suspect: (address) => void suspects.add(address),
    trust: (address) => void suspects.delete(address),
    choose(named, last) {
      const choices = listChoices();
      const address = named ?? choices[(choices.indexOf(last ?? "none") + 1) % choices.length] ?? "";
      if (address === "" || dial === undefined) return { transport: service, address: "" };
      return { transport: dial(address), address };
    },
  };
}
