import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DomainError } from "@heddle/errors";
import { afterAll, beforeAll, describe, expect, expectTypeOf, it } from "vitest";
import {
  boolean,
  bytes,
  defineConfig,
  duration,
  int,
  list,
  oneOf,
  port,
  secret,
  settingsReport,
  settingsTable,
  string,
  url,
  type Environment,
} from "./index.ts";

const config = defineConfig({
  HEDDLE_PORT: port({ doc: "Where to listen.", default: 7233 }),
  HEDDLE_NAME: string({ doc: "Who this is." }),
  HEDDLE_TOKEN: secret({ doc: "Who may call.", optional: true }),
  HEDDLE_WORKERS: int({ doc: "How many.", default: 4, min: 1, max: 64 }),
  HEDDLE_PAYLOAD_MAX: bytes({ doc: "How large.", default: 65_536 }),
  HEDDLE_LEASE: duration({ doc: "How long.", default: 30_000, min: 1000 }),
  HEDDLE_VERBOSE: boolean({ doc: "Whether to talk.", default: false }),
  HEDDLE_MODE: oneOf(["memory", "kafka"], { doc: "Which bus.", default: "memory" }),
  HEDDLE_HOSTS: list({ doc: "Where else.", default: [], maxItems: 3 }),
  DATABASE_URL: url({
    doc: "Where it is stored.",
    protocols: ["postgres", "postgresql"],
    secret: true,
    optional: true,
  }),
});
const minimal = { HEDDLE_NAME: "n" };

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "heddle-config-"));
  writeFileSync(join(directory, "token"), "hunter2\n");
});
afterAll(() => rmSync(directory, { recursive: true }));

describe("parse", () => {
  it("gives defaults for what is absent, and the types that the settings declare", () => {
    const values = config.parse(minimal);
    expect(values).toEqual({
      HEDDLE_PORT: 7233,
      HEDDLE_NAME: "n",
      HEDDLE_TOKEN: undefined,
      HEDDLE_WORKERS: 4,
      HEDDLE_PAYLOAD_MAX: 65_536,
      HEDDLE_LEASE: 30_000,
      HEDDLE_VERBOSE: false,
      HEDDLE_MODE: "memory",
      HEDDLE_HOSTS: [],
      DATABASE_URL: undefined,
    });
    expectTypeOf(values.HEDDLE_PORT).toEqualTypeOf<number>();
    expectTypeOf(values.HEDDLE_TOKEN).toEqualTypeOf<string | undefined>();
    expectTypeOf(values.HEDDLE_MODE).toEqualTypeOf<"memory" | "kafka">();
  });

  it.each<[keyof typeof config.settings, string, unknown]>([
    ["HEDDLE_PORT", "0", 0],
    ["HEDDLE_WORKERS", " 64 ", 64],
    ["HEDDLE_PAYLOAD_MAX", "65536", 65_536],
    ["HEDDLE_PAYLOAD_MAX", "64KiB", 65_536],
    ["HEDDLE_PAYLOAD_MAX", "1.5 mb", 1_500_000],
    ["HEDDLE_LEASE", "1500ms", 1500],
    ["HEDDLE_LEASE", "1.5s", 1500],
    ["HEDDLE_LEASE", "2h", 7_200_000],
    ["HEDDLE_VERBOSE", "YES", true],
    ["HEDDLE_VERBOSE", "0", false],
    ["HEDDLE_MODE", "kafka", "kafka"],
    ["HEDDLE_HOSTS", "a, b,,c ", ["a", "b", "c"]],
    ["HEDDLE_PORT", "", 7233],
    ["DATABASE_URL", "postgres://u:p@h/d", "postgres://u:p@h/d"],
  ])("%s=%s", (name, text, expected) => {
    expect(config.parse({ ...minimal, [name]: text })[name]).toEqual(expected);
  });

  it.each<[keyof typeof config.settings, string, RegExp]>([
    [
      "HEDDLE_PORT",
      "70000",
      /\("70000"\) is not a port; it must be a port from 0 to 65535 .*, e\.g\. HEDDLE_PORT=7233/,
    ],
    ["HEDDLE_PORT", "7233x", /not a port/],
    ["HEDDLE_WORKERS", "0", /is below 1; it must be a whole number from 1 up to 64, e\.g\. HEDDLE_WORKERS=4/],
    ["HEDDLE_WORKERS", "65", /is above 64/],
    ["HEDDLE_WORKERS", "4.5", /is not a whole number/],
    ["HEDDLE_PAYLOAD_MAX", "-1", /is not a size/],
    ["HEDDLE_PAYLOAD_MAX", "10 parsecs", /is not a size/],
    ["HEDDLE_LEASE", "30", /is not a duration such as 250ms/],
    ["HEDDLE_LEASE", "10ms", /is not between 1000/],
    ["HEDDLE_VERBOSE", "perhaps", /neither true nor false/],
    ["HEDDLE_MODE", "nats", /is not one of memory, kafka/],
    ["HEDDLE_MODE", "constructor", /is not one of/],
    ["HEDDLE_HOSTS", "a,b,c,d", /has 4 texts, more than 3; it must be texts separated by commas, at most 3/],
    ["DATABASE_URL", "mysql://secret@h/d", /has the protocol mysql:/],
    ["DATABASE_URL", "h:5432", /has the protocol|is not a URL/],
  ])("refuses %s=%s", (name, text, description) => {
    expect(faultsOf({ ...minimal, [name]: text })).toEqual([
      { field: name, description: expect.stringMatching(description) },
    ]);
  });

  it("tells all faults at once, in one message", () => {
    const error = failureOf({ HEDDLE_PORT: "x", HEDDLE_MODE: "y" });
    expect(error.reason).toBe("CONFIG_INVALID");
    expect(error.violations.map(({ field }) => field)).toEqual(["HEDDLE_PORT", "HEDDLE_NAME", "HEDDLE_MODE"]);
    expect(error.message).toContain("has 3 faults:\n  HEDDLE_PORT");
    expect(error.message).toContain("HEDDLE_NAME is missing; it must be a text, e.g. HEDDLE_NAME=value");
  });

  it("reads secrets from files, and never prints them", () => {
    const path = join(directory, "token");
    expect(config.parse({ ...minimal, HEDDLE_TOKEN_FILE: path }).HEDDLE_TOKEN).toBe("hunter2");
    expect(faultsOf({ ...minimal, HEDDLE_TOKEN_FILE: `${path}-not` })[0]?.description).toContain("ENOENT");
    expect(faultsOf({ ...minimal, HEDDLE_TOKEN_FILE: path, HEDDLE_TOKEN: "x" })[0]?.description).toContain(
      "given twice",
    );
    expect(failureOf({ ...minimal, DATABASE_URL: "mysql://secret@h/d" }).message).not.toContain("secret@");
    expect(faultsOf({ ...minimal, HEDDLE_PORT_FILE: path })).toEqual([]);
  });
});

describe("unknown variables", () => {
  it("are a fault when they are nearly the name of an absent one", () => {
    expect(faultsOf({ ...minimal, HEDDLE_PROT: "1" })[0]?.description).toContain("did you mean HEDDLE_PORT?");
    expect(faultsOf({ ...minimal, HEDDLE_TOKEN_FIL: "1" })[0]?.description).toContain(
      "did you mean HEDDLE_TOKEN_FILE?",
    );
  });

  it("are left alone when they are far from all, or when the near one is set", () => {
    const env = { ...minimal, HEDDLE_EXECUTION_SERVICE_HOST: "10.0.0.1", HEDDLE_PORTS: "1", HEDDLE_PORT: "2" };
    expect(config.parse(env).HEDDLE_PORT).toBe(2);
    expect(config.listUnknown(env)).toEqual([
      { name: "HEDDLE_EXECUTION_SERVICE_HOST", nearest: undefined },
      { name: "HEDDLE_PORTS", nearest: "HEDDLE_PORT" },
    ]);
  });
});

describe("tables", () => {
  it("documents every setting", () => {
    const table = settingsTable(config.settings);
    expect(table.split("\n")).toHaveLength(Object.keys(config.settings).length + 3);
    expect(table).toContain(
      "| `HEDDLE_PORT` | `7233` | a port from 0 to 65535 (0 takes a free one) | Where to listen. |",
    );
    expect(table).toContain("| `HEDDLE_LEASE` | `30s` |");
    expect(table).toContain("| `HEDDLE_PAYLOAD_MAX` | `64KiB` |");
    expect(table).toContain("| `HEDDLE_HOSTS` | none |");
    expect(table).toContain("| `HEDDLE_NAME` | required |");
    expect(table).toContain("or a path in `DATABASE_URL_FILE`");
  });

  it.each([duration({ doc: "How long." }), bytes({ doc: "How large." })])(
    "shows values as they can be given: $shape",
    (setting) => {
      for (const value of [0, 1, 999, 1000, 1024, 1500, 60_000, 65_536, 86_400_000]) {
        expect(setting.read(setting.show(value))).toEqual({ ok: true, value });
      }
    },
  );

  it("reports what holds, without secrets", () => {
    const report = settingsReport(config.settings, { HEDDLE_TOKEN: "hunter2", HEDDLE_PORT: "x", HEDDLE_HOSTS: "a,b" });
    expect(report).toMatch(/^HEDDLE_TOKEN +set \(secret\)$/m);
    expect(report).toMatch(/^HEDDLE_NAME +FAULT: is missing/m);
    expect(report).toMatch(/^HEDDLE_WORKERS +4 \(default\)$/m);
    expect(report).toMatch(/^HEDDLE_HOSTS +a,b$/m);
    expect(report).not.toContain("hunter2");
  });
});

function failureOf(env: Environment): DomainError {
  try {
    config.parse(env);
  } catch (error) {
    if (error instanceof DomainError) return error;
    throw error;
  }
  throw new Error("the environment should have been refused");
}

function faultsOf(env: Environment) {
  try {
    config.parse(env);
    return [];
  } catch (error) {
    if (error instanceof DomainError) return error.violations;
    throw error;
  }
}
