/** One SQL statement with numbered parameters. A `name` makes Postgres keep its plan for the life of the connection. */
export interface Statement {
  /** Unique per text, at most 63 bytes. Leave it out for statements that run seldom. */
  name?: string;
  text: string;
  /** A `Buffer` travels in binary form, everything else as text. */
  values?: readonly unknown[];
}

export interface StatementResult<Row> {
  rows: Row[];
  /** Rows that the statement touched or returned. */
  rowCount: number;
  /** The command tag's first word: after a COMMIT it tells whether the transaction really committed. */
  command: string;
}

/** Whatever runs statements: the database (each on some pooled connection) or a transaction (all on one). */
export interface Queryable {
  query<Row = Record<string, unknown>>(statement: Statement): Promise<StatementResult<Row>>;
}

/** Statements on one connection between BEGIN and COMMIT. Run them one after the other, never with Promise.all. */
export type Transaction = Queryable;
