import { randomUUID } from "node:crypto";
import type { Connection, Database, Queryable } from "@heddle/store";
import type { Logger } from "@heddle/telemetry";

/** `changed`: there are other schedules or triggers than before. `due`: something may be due earlier than it was. */
export type Notice = "changed" | "due";

/** Tells the other replicas of this schema, through Postgres, what they would otherwise have to look for. */
export interface Notices {
  /** Told when the transaction commits. */
  tell(transaction: Queryable, notice: Notice): Promise<void>;
  start(): void;
  stop(): Promise<void>;
}

export interface NoticesOptions {
  database: Database;
  /** Told by another replica; also after a connection was lost, because then nobody knows what was told meanwhile. */
  onNotice: (notice: Notice) => void;
  retryMs: number;
  /** Between two looks whether the connection still lives. */
  checkMs: number;
  /** A connection that does not answer for so long is cut, and made anew. */
  silenceMaxMs: number;
  logger: Logger;
}

export function createNotices(options: NoticesOptions): Notices {
  const { database, onNotice, retryMs, logger } = options;
  // Channels belong to the whole database, and what one tells comes back to oneself.
  const channel = `${database.schema}_schedules`;
  const self = randomUUID();
  let connection: Connection | undefined;
  let connecting: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let checks: NodeJS.Timeout | undefined;
  let stopped = false;

  async function connect(): Promise<void> {
    const opened = await database.connect({ applicationName: `${database.schema}-notices` });
    if (stopped) return await opened.end();
    connection = opened;
    opened.on("error", () => lost(opened));
    opened.on("end", () => lost(opened));
    opened.on("notification", ({ payload = "" }) => {
      const [sender, notice] = payload.split(" ");
      if (sender !== self) onNotice(notice === "changed" ? "changed" : "due");
    });
    await inTime(opened, opened.query(`listen ${channel}`));
    // What the network has dropped without a word looks like a connection on which nothing is told, for hours.
    clearInterval(checks);
    checks = setInterval(() => void inTime(opened, opened.query("select")).catch(() => undefined), options.checkMs);
    onNotice("changed");
  }

  /** Cuts the connection when it does not answer: that ends what waits for it, and it is made anew. */
  async function inTime(which: Connection, answer: Promise<unknown>): Promise<void> {
    const silence = setTimeout(() => which.connection.stream.destroy(), options.silenceMaxMs);
    try {
      await answer;
    } finally {
      clearTimeout(silence);
    }
  }

  function lost(which: Connection): void {
    if (connection !== which) return;
    connection = undefined;
    clearInterval(checks);
    which.end().catch(() => undefined);
    if (stopped) return;
    clearTimeout(timer);
    timer = setTimeout(begin, retryMs);
  }

  function begin(): void {
    connecting = connect().catch((err: unknown) => {
      if (stopped) return;
      logger.warn({ err }, "notices of other schedulers cannot be heard; connecting again");
      const broken = connection;
      connection = undefined;
      broken?.end().catch(() => undefined);
      clearTimeout(timer);
      timer = setTimeout(begin, retryMs);
    });
  }

  return {
    async tell(transaction, notice) {
      await transaction.query({ text: "select pg_notify($1, $2)", values: [channel, `${self} ${notice}`] });
    },
    start: begin,
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await connecting;
      clearInterval(checks);
      const last = connection;
      connection = undefined;
      if (last !== undefined) await inTime(last, last.end()).catch(() => undefined);
    },
  };
}
