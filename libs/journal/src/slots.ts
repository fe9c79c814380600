import type { Database } from "@heddle/store";
import type { Logger } from "./types.ts";

/** The journal's tables by time. A slot is named by the start of its stretch of time, in milliseconds since the epoch. */
export interface Slots {
  /** The slot to write to; its table exists once `maintain` succeeded. */
  current(): number;
  /** Creates the tables of this slot and the next, and drops those that nobody needs any more. */
  maintain(): Promise<void>;
}

/** A long reader of the journal makes us wait here, and everybody's appends behind us: give up soon, come again. */
const LOCK_TIMEOUT_MS = 200;
const LOCK_NOT_AVAILABLE = "55P03";

/** Tables are made and dropped by functions of their owner: the role that serves need not own them, see migrations.ts. */
export function createSlots(database: Database, slotDurationMs: number, now: () => number, logger: Logger): Slots {
  const existing = new Set<number>();
  let latest = 0;

  const slotOf = (time: number): number => Math.floor(time / slotDurationMs) * slotDurationMs;

  const create = async (slots: number[]): Promise<void> => {
    await locked(async (query) => {
      for (const slot of slots) await query("select journal_create_slot($1)", [slot]);
    });
  };

  const list = async (): Promise<number[]> => {
    const { rows } = await database.query<{ name: string }>({
      text: "select inhrelid::regclass::text as name from pg_inherits where inhparent = 'journal'::regclass",
    });
    return rows.map(({ name }) => Number(/journal_(\d+)/.exec(name)?.[1])).sort((a, b) => a - b);
  };

  /** Dropped only when every row is projected and published: then no recovery and no publisher will ask for it. */
  const dropIfUnused = async (slot: number): Promise<boolean> =>
    await locked(async (query) => {
      const { rows } = await query<{ dropped: boolean }>("select journal_drop_slot($1) as dropped", [slot]);
      return rows[0]?.dropped === true;
    });

  type Query = <Row>(text: string, values?: unknown[]) => Promise<{ rows: Row[] }>;
  const locked = <T>(work: (query: Query) => Promise<T>): Promise<T> =>
    database.transaction(async (transaction) => {
      await transaction.query({ text: `set local lock_timeout = ${LOCK_TIMEOUT_MS}` });
      await transaction.query({
        text: "select pg_advisory_xact_lock(hashtextextended(current_schema() || '.journal', 0))",
      });
      return await work((text, values) => transaction.query({ text, values }));
    });

  return {
    current: () => latest,
    async maintain() {
      const slot = slotOf(now());
      const wanted = [slot, slot + slotDurationMs].filter((wish) => !existing.has(wish));
      if (wanted.length > 0) await create(wanted);
      for (const wish of wanted) existing.add(wish);
      latest = Math.max(latest, slot);
      // One slot's rest: a process whose clock is behind still writes to the one before.
      for (const old of await list()) {
        if (old >= slot - slotDurationMs) break;
        try {
          if (!(await dropIfUnused(old))) break;
          existing.delete(old);
          logger.info(
            { slot: new Date(old).toISOString() },
            "dropped a stretch of the journal that is projected and published",
          );
        } catch (error) {
          if ((error as { code?: string }).code !== LOCK_NOT_AVAILABLE) throw error;
          break;
        }
      }
    },
  };
}
