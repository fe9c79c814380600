import type { Connection, Database, Queryable, Statement, StatementResult } from "@heddle/store";

/** Sent with every change of owners; the payload names the schema. A change is thereby noticed before the next renewal. */
export const OWNERS_CHANNEL = "heddle_journal_owners";

/** Statements about leases on a connection of their own: they never queue behind the requests that share a pool. */
export interface LeaseSession extends Queryable {
  /** Nothing else runs on the connection in between. */
  transaction<T>(work: (transaction: Queryable) => Promise<T>): Promise<T>;
  close(): void;
}

export interface LeaseSessionOptions {
  /** Shown in pg_stat_activity. */
  applicationName: string;
  /** A connection that does not answer for so long is cut, and what waits for it rejects. */
  timeoutMs: number;
  /** Somebody has changed the owners of this schema. */
  onNotified?: () => void;
}

/**
 * A process that is stopped in the middle of a transaction must not hold its locks against everybody else until it wakes
 * up.
 */
const SETUP = `set idle_in_transaction_session_timeout = 1000`;

/** Connects with the first statement, and again after a failure. */
export function createLeaseSession(database: Database, options: LeaseSessionOptions): LeaseSession {
  let client: Connection | undefined;
  let closed = false;
  let last: Promise<unknown> = Promise.resolve();

  const drop = (broken: Connection): void => {
    if (client === broken) client = undefined;
    broken.connection.stream.destroy();
  };

  const connect = async (): Promise<Connection> => {
    const fresh = await database.connect({ applicationName: options.applicationName });
    if (closed) {
      fresh.connection.stream.destroy();
      throw new Error("the lease is closed: the process stops");
    }
    fresh.on("error", () => drop(fresh));
    fresh.on("end", () => drop(fresh));
    fresh.on("notification", ({ payload }) => {
      if (payload === database.schema) options.onNotified?.();
    });
    try {
      await fresh.query(options.onNotified === undefined ? SETUP : `${SETUP}; listen ${OWNERS_CHANNEL}`);
    } catch (error) {
      drop(fresh);
      throw error;
    }
    client = fresh;
    return fresh;
  };

  const attempt = async <T>(work: (queryable: Queryable) => Promise<T>, isOver: () => boolean): Promise<T> => {
    const connection = client ?? (await connect());
    // Connecting took too long, and others are using the connection by now.
    if (isOver()) throw new Error("nobody waits for this statement any more");
    try {
      return await work({ query: (statement) => run(connection, statement) });
    } catch (error) {
      drop(connection);
      throw error;
    }
  };

  /** One after the other. Connecting counts into the time as well: an address may swallow what is sent to it. */
  const exclusive = <T>(work: (queryable: Queryable) => Promise<T>): Promise<T> => {
    const result = last.then(() => {
      let isOver = false;
      const attempted = attempt(work, () => isOver);
      return new Promise<T>((resolve, reject) => {
        const timer = setTimeout(() => {
          isOver = true;
          if (client !== undefined) drop(client);
          reject(new Error(`the database has not answered for ${options.timeoutMs} ms`));
        }, options.timeoutMs);
        attempted.then(resolve, reject).finally(() => clearTimeout(timer));
      });
    });
    last = result.catch(() => undefined);
    return result;
  };

  return {
    query: (statement) => exclusive((queryable) => queryable.query(statement)),
    transaction: (work) =>
      exclusive(async (queryable) => {
        await queryable.query({ text: "begin" });
        const result = await work(queryable);
        await queryable.query({ text: "commit" });
        return result;
      }),
    close() {
      closed = true;
      if (client !== undefined) drop(client);
    },
  };
}

async function run<Row>(connection: Connection, statement: Statement): Promise<StatementResult<Row>> {
  const { rows, rowCount, command } = await connection.query({ ...statement, values: statement.values as unknown[] });
  return { rows: rows as Row[], rowCount: rowCount ?? 0, command };
}
