import type { Core } from "./core.ts";
import { partitionNotOwned } from "./errors.ts";
import type { ResidentAggregate } from "./partition.ts";
import type { PartitionInspection } from "./types.ts";

/** See `JournalRuntime.inspect`. */
export function inspectPartition<State, Command, Event, Captured>(
  core: Core<State, Command, Event, Captured>,
  number: number,
): PartitionInspection<State> {
  const partition = core.partitions[number];
  if (partition === undefined || partition.status === "recovering") throw partitionNotOwned(number);
  const { epoch, headOffset, projectedOffset, aggregates } = partition;
  return {
    epoch,
    headOffset,
    projectedOffset,
    *aggregates() {
      for (const aggregate of aggregates.values()) {
        // One that is being loaded, or never came to be, is nothing yet.
        if (aggregate.status === "loading" || (aggregate.status === "ready" && aggregate.state === undefined)) continue;
        const { id, state, status, inBatch } = aggregate;
        yield {
          id,
          state,
          isCommitted: status === "ready" && !inBatch,
          isQuarantined: status === "quarantined",
          timerAt: armedTimer(core, aggregate),
        };
      }
    },
  };
}

function armedTimer<State, Command>(
  core: { now(): number },
  { timerAt, timerQueued }: ResidentAggregate<State, Command>,
): number | undefined {
  return timerQueued ? core.now() : timerAt;
}
