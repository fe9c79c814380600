import { DomainError } from "@heddle/errors";
import { evictIfDone } from "./commit-loop.ts";
import type { Core } from "./core.ts";
import type { Partition, ResidentAggregate } from "./partition.ts";
import type { ProjectionChange } from "./types.ts";

export interface Projector {
  /** Something was committed. */
  dirtied(): void;
  /** Writes everything that was committed before the call. Rejects when the database does not take it. */
  flush(): Promise<void>;
  /** The same, and every partition's offset is moved as far as it can be, so that the journal can be dropped. */
  catchUp(): Promise<void>;
  stop(): Promise<void>;
}

interface Capture<State, Command, Captured> {
  partition: Partition<State, Command>;
  /** Everything up to here is in `changes`, was projected before, or is held. */
  offset: number;
  changes: { aggregate: ResidentAggregate<State, Command>; change: ProjectionChange<Captured> }[];
}

const IDLE_MAX_LAG = 500;

/** The partition was taken by another process: its projection is no longer ours to write. */
class FencedError extends Error {}

/** Writes committed state to the projection in the background, coalesced: however often an aggregate changed, once. */
export function createProjector<State, Command, Event, Captured>(
  core: Core<State, Command, Event, Captured>,
  atRest: (task: () => void) => void,
): Projector {
  const { limits, logger } = core;
  let timer: NodeJS.Timeout | undefined;
  let active: Promise<void> = Promise.resolve();
  let stopped = false;
  let moveIdle = false;

  const dirtied = (): void => {
    if (timer !== undefined || stopped) return;
    timer = setTimeout(() => {
      void flush()
        .catch((error: unknown) => logger.warn({ err: error }, "the projection could not be written; trying again"))
        .finally(() => {
          timer = undefined;
          if (core.partitions.some((partition) => partition !== undefined && partition.dirty.size > 0)) dirtied();
        });
    }, limits.projectionIntervalMs);
  };

  const flush = (): Promise<void> => {
    const next = active.then(flushOnce);
    active = next.catch(() => undefined);
    return next;
  };

  const flushOnce = async (): Promise<void> => {
    const captures: Capture<State, Command, Captured>[] = [];
    const waiting = core.partitions.filter((partition) => partition !== undefined && isDue(partition));
    while (waiting.length > 0) {
      // A stretch of captures per moment of rest; commands go on between two of them.
      await new Promise<void>((resolve) => {
        atRest(() => {
          const began = performance.now();
          while (waiting.length > 0 && performance.now() - began < limits.projectionMaxCaptureMs) {
            const partition = waiting.shift() as Partition<State, Command>;
            if (isCurrent(partition)) captures.push(capture(partition));
          }
          resolve();
        });
      });
      if (waiting.length > 0) await new Promise((resolve) => setImmediate(resolve));
    }
    try {
      await write(captures);
    } catch (error) {
      for (const { changes, partition } of captures) for (const { aggregate } of changes) restore(partition, aggregate);
      throw error;
    }
    for (const { partition, offset, changes } of captures) {
      if (!isCurrent(partition)) continue;
      partition.projectedOffset = offset;
      for (const { aggregate } of changes) {
        if (aggregate.projecting.length > 0) finish(partition, aggregate);
      }
    }
  };

  /** An idle partition's offset is moved too, now and then: recovery reads the journal from the lowest. */
  const isDue = (partition: Partition<State, Command>): boolean =>
    partition.dirty.size > 0 || core.lastOffset - partition.projectedOffset > (moveIdle ? 0 : IDLE_MAX_LAG);

  const isCurrent = (partition: Partition<State, Command>): boolean =>
    core.partitions[partition.number] === partition && partition.status !== "recovering";

  const capture = (partition: Partition<State, Command>): Capture<State, Command, Captured> => {
    const changes: Capture<State, Command, Captured>["changes"] = [];
    for (const aggregate of partition.dirty) {
      // Being rebuilt after a defect: its state is not to be trusted, so it waits for the next flush.
      if (aggregate.status !== "ready" || aggregate.state === undefined) continue;
      const { id, state } = aggregate;
      const finished = core.aggregate.isFinished(state);
      try {
        const events = aggregate.unprojected;
        const captured = core.projection.capture({ id, partition: partition.number, state, finished, events });
        changes.push({ aggregate, change: { id, partition: partition.number, captured, finished, events } });
        aggregate.projecting = events;
        aggregate.unprojected = [];
        partition.dirty.delete(aggregate);
        partition.held.delete(aggregate);
      } catch (error) {
        hold(partition, aggregate, error);
      }
    }
    // At rest every flush is settled: of this partition there is nothing up to the last offset but what is captured now.
    return { partition, offset: projectableOffset(partition, core.lastOffset), changes };
  };

  /** Everything up to `head`, but for what begins with the first event of anything that is not written now. */
  const projectableOffset = (partition: Partition<State, Command>, head: number): number => {
    let offset = head;
    for (const aggregate of partition.held) offset = Math.min(offset, aggregate.heldOffset - 1);
    for (const aggregate of partition.dirty) offset = Math.min(offset, aggregate.heldOffset - 1);
    return Math.max(offset, partition.projectedOffset);
  };

  const write = async (captures: Capture<State, Command, Captured>[]): Promise<void> => {
    if (captures.length === 0) return;
    const changes = captures.flatMap((captured) => captured.changes.map(({ change }) => change));
    try {
      await transact(captures, changes);
    } catch (error) {
      if (error instanceof FencedError || isOutage(error) || changes.length === 0) throw error;
      logger.warn(
        { err: error, changes: changes.length },
        "a projection was refused; writing its aggregates one by one",
      );
      await writeOneByOne(captures);
    }
  };

  const transact = async (captures: Capture<State, Command, Captured>[], changes: ProjectionChange<Captured>[]) => {
    await core.database.transaction(async (transaction) => {
      // First, because it locks the rows: whoever takes a partition over waits for this projection, or forbids it.
      const { rowCount } = await transaction.query({
        name: "journal_projected",
        // Waits for the disk: memory outlives a crash of the server, and forgets what was projected. A process that is stopped
        // in the middle must not keep these rows from whoever takes the partitions over.
        text: `with bounded as materialized (select set_config('idle_in_transaction_session_timeout', '1000', true))
          update journal_partitions p set projected_offset = greatest(p.projected_offset, r.projected),
            head_offset = greatest(p.head_offset, r.head)
          from bounded, unnest($1::smallint[], $2::bigint[], $3::bigint[], $4::bigint[]) as r (partition, epoch, projected, head)
          where p.partition = r.partition and p.epoch = r.epoch`,
        values: [
          captures.map(({ partition }) => partition.number),
          captures.map(({ partition }) => partition.epoch),
          captures.map(({ offset }) => offset),
          captures.map(({ partition }) => partition.headOffset),
        ],
      });
      if (rowCount !== captures.length)
        throw new FencedError("partitions were taken over; their projection is left alone");
      if (changes.length > 0) await core.projection.write(transaction, changes);
    });
    if (changes.length > 0) core.projection.written?.(changes);
  };

  /** Finds the aggregates that the projection cannot take, so that they hold up nobody else. */
  const writeOneByOne = async (captures: Capture<State, Command, Captured>[]): Promise<void> => {
    for (const { partition, changes } of captures) {
      for (const { aggregate, change } of changes) {
        try {
          // The offset stays: a replay passes over what the state has seen.
          await transact([{ partition, offset: partition.projectedOffset, changes: [] }], [change]);
        } catch (error) {
          if (error instanceof FencedError || isOutage(error)) throw error;
          restore(partition, aggregate);
          partition.dirty.delete(aggregate);
          hold(partition, aggregate, error);
          continue;
        }
        if (isCurrent(partition)) finish(partition, aggregate);
      }
    }
    for (const captured of captures)
      captured.offset = projectableOffset(captured.partition, captured.partition.headOffset);
    await transact(captures, []);
  };

  const finish = (partition: Partition<State, Command>, aggregate: ResidentAggregate<State, Command>): void => {
    const { counters } = core;
    counters.unprojectedEvents -= aggregate.projecting.length;
    for (const record of aggregate.projecting) counters.unprojectedBytes -= record.bytes.length;
    aggregate.projecting = [];
    evictIfDone(core, partition, aggregate);
  };

  const restore = (partition: Partition<State, Command>, aggregate: ResidentAggregate<State, Command>): void => {
    if (aggregate.projecting.length === 0) return;
    aggregate.unprojected = [...aggregate.projecting, ...aggregate.unprojected];
    aggregate.projecting = [];
    partition.dirty.add(aggregate);
  };

  const hold = (partition: Partition<State, Command>, aggregate: ResidentAggregate<State, Command>, error: unknown) => {
    partition.held.add(aggregate);
    partition.dirty.delete(aggregate);
    core.counters.defects++;
    logger.error(
      { err: error, id: aggregate.id },
      "an aggregate cannot be projected; it goes on, and is tried again when it changes",
    );
  };

  return {
    dirtied,
    flush,
    async catchUp() {
      moveIdle = true;
      await flush().finally(() => {
        moveIdle = false;
      });
    },
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await active;
    },
  };
}

/** Connection failures, shutdowns and lack of resources: nothing is wrong with the data. */
function isOutage(error: unknown): boolean {
  if (error instanceof DomainError && error.kind === "unavailable") return true;
  const { code } = error as { code?: unknown };
  return typeof code === "string" && (/^(08|53|57|58|40|55|25)/.test(code) || /^E[A-Z]+$/.test(code));
}
