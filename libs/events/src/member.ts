import type { DeliveryContext, SubscribeOptions } from "./event-bus.ts";
import type { LaneOwner } from "./lane.ts";

/** One subscription: who gets the messages of the partitions that fall to it, until it leaves. */
export interface Member {
  readonly options: SubscribeOptions;
  /** The partition's deliveries through this member go through here, one at a time. */
  ownerOf(topic: string, partition: number): LaneOwner;
  isLeaving(): boolean;
  /** Tells handlers to finish, and resolves when those under way have. */
  leave(): Promise<void>;
}

export interface MemberHooks {
  onParked?(topic: string): void;
}

export function createMember(options: SubscribeOptions, hooks: MemberHooks = {}): Member {
  const { group, handler, parkPoison } = options;
  const abort = new AbortController();
  /** Calls of the handler and of parkPoison. */
  const underWay = new Set<Promise<void>>();

  function track(work: Promise<void>): Promise<void> {
    const settled = work.then(ignore, ignore).finally(() => underWay.delete(settled));
    underWay.add(settled);
    return work;
  }

  return {
    options,
    ownerOf(topic, partition) {
      const context: DeliveryContext = { group, topic, partition, signal: abort.signal };
      return {
        // Either may throw before its first await: async makes that a failure like any other.
        deliver: (messages) => track((async () => handler(messages, context))()),
        park: (message, attempts, error, offset) =>
          track(
            (async () => {
              await parkPoison({ group, message, partition, attempts, error, offset });
              hooks.onParked?.(topic);
            })(),
          ),
        isLeaving: () => abort.signal.aborted,
      };
    },
    isLeaving: () => abort.signal.aborted,
    async leave() {
      abort.abort();
      await Promise.all(underWay);
    },
  };
}

function ignore(): void {}
