import type { Connection, Database, Queryable, Statement, StatementResult } from "@heddle/store";

/** One connection for leases alone: a pool that is busy, or a query that hangs, must not cost the lease. */
export interface LeaseConnection extends Queryable {
  /** Commits when `work` resolves, rolls back when it rejects. */
  transaction<T>(work: (transaction: Queryable) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/**
 * Connects at the first statement, and anew after any failure. Each statement, and each attempt to connect, fails when it
 * takes longer than `timeoutMs`: by then the answer is worth nothing. Not for several callers at once.
 */
export function createLeaseConnection(database: Database, timeoutMs: number): LeaseConnection {
  let connection: Connection | undefined;
  let closed = false;

  const discard = (): void => {
    const broken = connection;
    connection = undefined;
    broken?.end().catch(() => undefined);
  };

  const connect = async (): Promise<Connection> => {
    const opening = database.connect({ applicationName: `${database.schema}-leases` });
    let late = false;
    opening.then(
      (opened) => {
        // Without a listener the death of an idle connection would end the process; the next statement finds out.
        opened.on("error", () => undefined);
        if (late || closed) opened.end().catch(() => undefined);
      },
      () => undefined,
    );
    try {
      return await within(opening, timeoutMs);
    } catch (error) {
      late = true;
      throw error;
    }
  };

  const run = async <Row>(statement: Statement): Promise<StatementResult<Row>> => {
    connection ??= await connect();
    try {
      const { name, text, values } = statement;
      const query = connection.query<Row & object>({ name, text, values: values && [...values] });
      const { rows, rowCount, command } = await within(query, timeoutMs);
      return { rows, rowCount: rowCount ?? 0, command };
    } catch (error) {
      discard();
      throw error;
    }
  };

  return {
    query: run,
    async transaction(work) {
      await run({ text: "BEGIN" });
      try {
        const result = await work({ query: run });
        await run({ text: "COMMIT" });
        return result;
      } catch (error) {
        // The server rolls back what a connection leaves behind.
        discard();
        throw error;
      }
    },
    async close() {
      closed = true;
      const last = connection;
      connection = undefined;
      await last?.end().catch(() => undefined);
    },
  };
}

async function within<T>(work: Promise<T>, timeoutMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`the database has not answered within ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    return await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
