import { DomainError } from "@heddle/errors";
import type { Database, Migration, Transaction } from "@heddle/store";
import { type AggregateType, claimPayload, defaultLimits, type Projection, writeHistory } from "../src/index.ts";

/** A small aggregate that shows every trait the runtime has to cope with: a list of numbers, a timer, payloads, an end. */
export interface Tally {
  seq: number;
  entries: number[];
  /** Texts noted, by their length: the texts themselves are in the events. */
  noted: string[];
  alarmAt?: number;
  /** Its alarm always fails. */
  poisoned?: boolean;
  fired: number[];
  finished: boolean;
}

export type TallyCommand =
  | { kind: "add"; value: number; times?: number }
  | { kind: "note"; text: string }
  | { kind: "alarm"; at: number; poison?: boolean }
  | { kind: "ring" }
  | { kind: "finish" }
  | { kind: "refuse" }
  | { kind: "explode" }
  | { kind: "diverge" }
  | { kind: "unencodable" }
  | { kind: "unprojectable" }
  | { kind: "look" };

export type TallyEvent =
  | { kind: "added"; value: number }
  | { kind: "noted"; text: string }
  | { kind: "alarmed"; at: number; poison?: boolean }
  | { kind: "rung"; at: number }
  | { kind: "finished" }
  | { kind: "unencodable" }
  | { kind: "unprojectable" };

export interface TallyOptions {
  /** Ids whose events can no longer be replayed, as if a new version had a defect. */
  unreplayable?: Set<string>;
}

export function createTallyType(options: TallyOptions = {}): AggregateType<Tally, TallyCommand, TallyEvent> {
  const evolve = (from: Tally | undefined, event: TallyEvent): Tally => {
    // In place, as the real cores do: tests must catch a runtime that leans on old states.
    const state = from ?? { seq: 0, entries: [], noted: [], fired: [], finished: false };
    state.seq++;
    if (event.kind === "added") state.entries.push(event.value);
    else if (event.kind === "noted") state.noted.push(event.text);
    else if (event.kind === "alarmed") {
      state.alarmAt = event.at;
      state.poisoned = event.poison;
    } else if (event.kind === "rung") {
      state.alarmAt = undefined;
      state.fired.push(event.at);
    } else if (event.kind === "finished") state.finished = true;
    else if (event.kind === "unprojectable") state.noted.push("\u0000");
    return state;
  };

  const decideEvents = (state: Tally | undefined, command: TallyCommand, now: number): TallyEvent[] => {
    if (state?.finished && command.kind !== "look") {
      throw new DomainError({ kind: "failed_precondition", reason: "FINISHED", message: "the tally is finished" });
    }
    switch (command.kind) {
      case "add":
        return Array.from({ length: command.times ?? 1 }, () => ({ kind: "added", value: command.value }));
      case "note":
        return [{ kind: "noted", text: command.text }];
      case "alarm":
        return [{ kind: "alarmed", at: command.at, poison: command.poison }];
      case "ring":
        if (state?.poisoned) throw new TypeError("this alarm always fails");
        return [{ kind: "rung", at: now }];
      case "finish":
        return [{ kind: "finished" }];
      case "refuse":
        throw new DomainError({ kind: "invalid_argument", reason: "REFUSED", message: "refused as asked" });
      case "explode":
        if (state) state.entries.push(-1);
        throw new TypeError("exploded as asked");
      case "diverge": {
        if (state) state.entries.push(-1);
        const refusal = {
          kind: "failed_precondition",
          reason: "REPLAY_DIVERGED",
          message: "it cannot follow",
        } as const;
        throw new Error("an event was decided that cannot follow", { cause: new DomainError(refusal) });
      }
      case "unencodable":
      case "unprojectable":
        return [{ kind: command.kind }];
      case "look":
        return [];
    }
  };

  return {
    decide(from, command, { now }) {
      const events = decideEvents(from, command, now);
      let state = from;
      for (const event of events) state = evolve(state, event);
      if (state === undefined) {
        throw new DomainError({ kind: "not_found", reason: "NO_TALLY", message: "there is no such tally" });
      }
      return { state, events, reply: { seq: state.seq, sum: state.entries.reduce((a, b) => a + b, 0) } };
    },
    evolve(state, event, { id }) {
      if (options.unreplayable?.has(id)) throw new TypeError(`event of ${id} is not understood`);
      return evolve(state, event);
    },
    encodeEvent(event) {
      if (event.kind === "unencodable") throw new TypeError("this event has no encoding");
      if (event.kind === "noted") {
        const claim = claimPayload("text", Buffer.from(event.text), defaultLimits);
        if (claim) {
          return { bytes: Buffer.from(JSON.stringify({ kind: "noted", digest: claim.digest })), payloads: [claim] };
        }
      }
      return Buffer.from(JSON.stringify(event));
    },
    decodeEvent(bytes, payloads) {
      const event = JSON.parse(Buffer.from(bytes).toString()) as TallyEvent & { digest?: string };
      if (event.kind === "noted" && event.digest !== undefined) {
        return { kind: "noted", text: Buffer.from(payloads.get(event.digest)).toString() };
      }
      return event;
    },
    seq: (state) => state.seq,
    nextTimer: (state) =>
      state.alarmAt === undefined ? undefined : { dueAt: state.alarmAt, command: { kind: "ring" } },
    isFinished: (state) => state.finished,
  };
}

export const tallyMigration: Migration = {
  name: "0001_tallies",
  async up(knex) {
    await knex.raw(`create table tallies (
      id uuid primary key, partition smallint not null, finished boolean not null, state text not null)`);
    await knex.raw("create index tallies_live on tallies (partition) where not finished");
  },
  async down(knex) {
    await knex.raw("drop table tallies");
  },
};

interface Row {
  id: string;
  state: string;
}

export function createTallyProjection(
  database: Database,
  hooks: { onProjecting?: () => void | Promise<void>; onLoading?: (ids: readonly string[]) => void } = {},
): Projection<Tally, string> & { writes: number } {
  const parse = (row: Row): { id: string; state: Tally } => ({ id: row.id, state: JSON.parse(row.state) as Tally });
  const projection = {
    writes: 0,
    // JSON escapes the zero character, which Postgres would take as text; this projection must fail on it.
    capture: ({ state }: { state: Tally }) => JSON.stringify(state).replaceAll("\\u0000", "\u0000"),
    async write(transaction: Transaction, changes: Parameters<Projection<Tally, string>["write"]>[1]) {
      projection.writes++;
      await hooks.onProjecting?.();
      await transaction.query({
        text: `insert into tallies (id, partition, finished, state)
          select * from unnest($1::uuid[], $2::smallint[], $3::boolean[], $4::text[])
          on conflict (id) do update set finished = excluded.finished, state = excluded.state`,
        values: [
          changes.map((change) => change.id),
          changes.map((change) => change.partition),
          changes.map((change) => change.finished),
          changes.map((change) => change.captured),
        ],
      });
      await writeHistory(transaction, changes);
    },
    async loadLive(partition: number) {
      const { rows } = await database.query<Row>({
        text: "select id, state from tallies where partition = $1 and not finished",
        values: [partition],
      });
      return rows.map(parse);
    },
    async load(ids: readonly string[]) {
      hooks.onLoading?.(ids);
      const { rows } = await database.query<Row>({
        text: "select id, state from tallies where id = any($1)",
        values: [ids],
      });
      return rows.map(parse);
    },
  };
  return projection;
}
