import { setTimeout as sleep } from "node:timers/promises";
import { evictIfDone } from "./commit-loop.ts";
import type { Core } from "./core.ts";
import { type Partition, type QueuedCommand, releaseReaders, type ResidentAggregate } from "./partition.ts";
import { loadPayloads } from "./payloads.ts";
import type { StoredRecord } from "./record.ts";
import { replay } from "./replay.ts";

export interface Loader<State, Command> {
  /** Brings an aggregate into memory, as projected plus its events since, then queues its parked commands again. */
  load(partition: Partition<State, Command>, aggregate: ResidentAggregate<State, Command>): void;
  stop(): void;
}

const LOAD_MAX_IDS = 500;
const RETRY_MIN_MS = 20;
const RETRY_MAX_MS = 1_000;

interface Request<State, Command> {
  partition: Partition<State, Command>;
  aggregate: ResidentAggregate<State, Command>;
  /** Taken before the projection is asked: what it answers is at least as new as this tail's beginning. */
  tail: StoredRecord[];
}

/** One query at a time; what is asked for meanwhile shares the next. */
export function createLoader<State, Command, Event, Captured>(
  core: Core<State, Command, Event, Captured>,
  hooks: {
    requeue(items: readonly QueuedCommand<Command>[]): void;
    schedule(partition: Partition<State, Command>, aggregate: ResidentAggregate<State, Command>): void;
  },
): Loader<State, Command> {
  let requests: Request<State, Command>[] = [];
  let running = false;
  let stopped = false;

  const isCurrent = ({ partition, aggregate }: Request<State, Command>): boolean =>
    core.partitions[partition.number] === partition && partition.aggregates.get(aggregate.id) === aggregate;

  const run = async (): Promise<void> => {
    let retryMs = RETRY_MIN_MS;
    while (requests.length > 0 && !stopped) {
      const some = requests.splice(0, LOAD_MAX_IDS).filter(isCurrent);
      try {
        await serve(some);
        retryMs = RETRY_MIN_MS;
      } catch (error) {
        core.logger.warn({ err: error, retryMs }, "aggregates could not be loaded; trying again");
        requests = [...some, ...requests];
        await sleep(retryMs);
        retryMs = Math.min(retryMs * 2, RETRY_MAX_MS);
      }
    }
    running = false;
  };

  const serve = async (some: Request<State, Command>[]): Promise<void> => {
    if (some.length === 0) return;
    const loaded = await core.projection.load(some.map(({ aggregate }) => aggregate.id));
    const found = new Map(loaded.map((one) => [one.id, one]));
    const digests = some.flatMap(({ tail }) => tail.flatMap((record) => record.payloadDigests));
    const payloads = await loadPayloads(core.database, digests);
    for (const request of some) {
      if (stopped || !isCurrent(request)) continue;
      const { partition, aggregate, tail } = request;
      try {
        const projected = found.get(aggregate.id);
        if (projected !== undefined && "fault" in projected) throw projected.fault;
        const restored = replay(core.aggregate, aggregate.id, projected?.state, tail, payloads);
        aggregate.state = restored.state;
        aggregate.seq = restored.seq;
        aggregate.status = "ready";
      } catch (error) {
        aggregate.status = "quarantined";
        // Without a tail there is nothing in the journal that must be kept for it.
        if (tail.length > 0) partition.held.add(aggregate);
        partition.dirty.delete(aggregate);
        core.counters.defects++;
        core.logger.error({ err: error, id: aggregate.id }, "an aggregate could not be rebuilt and is set aside");
      }
      const { parked } = aggregate;
      aggregate.parked = [];
      hooks.requeue(parked);
      releaseReaders(aggregate);
      if (aggregate.status === "ready") {
        hooks.schedule(partition, aggregate);
        if (parked.length === 0) evictIfDone(core, partition, aggregate);
      }
    }
  };

  return {
    load(partition, aggregate) {
      requests.push({ partition, aggregate, tail: [...aggregate.projecting, ...aggregate.unprojected] });
      if (running) return;
      running = true;
      void run();
    },
    stop() {
      // What is parked is refused when the partitions are dropped.
      stopped = true;
      requests = [];
    },
  };
}
