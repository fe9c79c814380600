import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";

type Packages = Record<string, { version?: string; optional?: boolean; link?: boolean }>;

const LOCKED: Packages = {
  "": {},
  "libs/a": {},
  "node_modules/@heddle/a": { link: true },
  "node_modules/tool": { version: "2.0.0" },
  "node_modules/tool-darwin": { version: "2.0.0", optional: true },
};
const INSTALLED: Packages = { "node_modules/@heddle/a": { link: true }, "node_modules/tool": { version: "2.0.0" } };

/** Runs the script in a tree of its own, with an npm that installs what `installs` says. */
function setup(
  installed: Packages | undefined,
  installs?: Packages,
): { npmRan: boolean; status: number | null; output: string } {
  const root = mkdtempSync(join(tmpdir(), "setup-"));
  onTestFinished(() => rmSync(root, { recursive: true }));
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
    chmodSync(join(root, path), 0o755);
  };
  mkdirSync(join(root, "scripts"));
  copyFileSync(new URL("setup.mjs", import.meta.url), join(root, "scripts/setup.mjs"));
  write("package-lock.json", JSON.stringify({ packages: LOCKED }));
  write("node_modules/.bin/node", "");
  const hidden = "node_modules/.package-lock.json";
  if (installed !== undefined) write(hidden, JSON.stringify({ packages: installed }));
  write("after.json", JSON.stringify({ packages: installs }));
  write(
    "bin/npm",
    `#!/bin/sh\necho "$@" > npm-ran\n${installs === undefined ? "exit 1" : `cp after.json ${hidden}`}\n`,
  );
  const { status, stdout, stderr } = spawnSync(process.execPath, ["scripts/setup.mjs"], {
    cwd: root,
    encoding: "utf8",
    env: { ...process.env, PATH: `${join(root, "bin")}${delimiter}${process.env["PATH"]}` },
  });
  return { npmRan: existsSync(join(root, "npm-ran")), status, output: stdout + stderr };
}

test("does nothing and says nothing when all is there; other platforms' packages may be missing", () => {
  expect(setup(INSTALLED)).toEqual({ npmRan: false, status: 0, output: "" });
});

test("installs on a clean clone", () => {
  const { npmRan, status, output } = setup(undefined, INSTALLED);
  expect({ npmRan, status }).toEqual({ npmRan: true, status: 0 });
  expect(output).toContain("nothing is installed yet");
});

test.each<[string, Packages]>([
  ["node_modules/tool is 1.0.0, not 2.0.0", { ...INSTALLED, "node_modules/tool": { version: "1.0.0" } }],
  ["node_modules/@heddle/a is missing", { "node_modules/tool": { version: "2.0.0" } }],
])("installs when %s", (reason, installed) => {
  const { npmRan, output } = setup(installed, INSTALLED);
  expect(npmRan).toBe(true);
  expect(output).toContain(reason);
});

test("a failed install fails, and says what to do", () => {
  const { status, output } = setup(undefined);
  expect(status).toBe(1);
  expect(output).toContain("Remedy:");
});
