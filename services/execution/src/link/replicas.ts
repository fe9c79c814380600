import type { Dial, RpcTransport } from "@heddle/rpc";

/** Addresses of replicas that are remembered; the one that was learned first goes. */
const MAX_ADDRESSES = 16;

/** An address where nobody was is avoided for this long; longer than a takeover needs. */
const SUSPECT_MS = 2000;

/** The replicas of the scheduler, as far as their refusals have told. One for all links of a process. */
export interface Replicas {
  learn(address: string): void;
  /** Nobody answered there, or nothing came for too long: it is avoided for two seconds, or until something comes. */
  suspect(address: string): void;
  trust(address: string): void;
  /**
   * Where to try after `last`: at the address that a refusal has just named; else, by turns, the service's own address
   * (empty) and each known replica. Suspects are left out, also when they are named, as long as there are others: the
   * others keep those waiting who come for a shard that will be theirs.
   */
  choose(named: string | undefined, last: string | undefined): { transport: RpcTransport; address: string };
}

export function createReplicas(
  service: RpcTransport,
  dial: Dial | undefined,
  now: () => number = () => performance.now(),
): Replicas {
  const known = new Set<string>();
  const suspectUntil = new Map<string, number>();
  const isSuspect = (address: string): boolean => (suspectUntil.get(address) ?? 0) > now();

  return {
    learn(address) {
      if (dial === undefined || known.has(address)) return;
      known.add(address);
      for (const oldest of known) {
        if (known.size <= MAX_ADDRESSES) break;
        known.delete(oldest);
        suspectUntil.delete(oldest);
      }
    },
    suspect: (address) => void suspectUntil.set(address, now() + SUSPECT_MS),
    trust: (address) => void suspectUntil.delete(address),
    choose(named, last) {
      const all = ["", ...known];
      const trusted = all.filter((address) => !isSuspect(address));
      const choices = trusted.length > 0 ? trusted : all;
      const next = choices[(choices.indexOf(last ?? "none") + 1) % choices.length] ?? "";
      const address = named !== undefined && (!isSuspect(named) || trusted.length === 0) ? named : next;
      if (address === "" || dial === undefined) return { transport: service, address: "" };
      return { transport: dial(address), address };
    },
  };
}
