import { readFileSync, statSync } from "node:fs";
import { dirname } from "node:path";

/** The account that Postgres runs as. Postgres refuses to run as root. */
export interface Account {
  uid: number;
  gid: number;
  name: string;
}

const CANDIDATES = ["postgres", "nobody"];

/** Undefined when this process may run Postgres itself, that is: when it is not root. */
export function accountForPostgres(): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const entries = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .map((line) => line.split(":"));
  for (const candidate of CANDIDATES) {
    const entry = entries.find(([name]) => name === candidate);
    // initdb asks for the account's name, so an uid without an entry does not do.
    if (entry) return { name: candidate, uid: Number(entry[2]), gid: Number(entry[3]) };
  }
  throw new Error(
    "running as root, and Postgres refuses that; /etc/passwd has neither a user `postgres` nor `nobody` to run it as. Add one, run as another user, or set DATABASE_URL",
  );
}

/** Whether the account may pass through every directory down to the path. Mode bits only: access lists are not looked at. */
export function canReach(account: Account, path: string): boolean {
  for (let directory = path; ; directory = dirname(directory)) {
    const { mode, uid, gid } = statSync(directory);
    const shift = uid === account.uid ? 6 : gid === account.gid ? 3 : 0;
    if (((mode >> shift) & 1) === 0) return false;
    if (directory === dirname(directory)) return true;
  }
}
