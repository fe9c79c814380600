import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runCommand } from "./run-command.ts";

const GENERATED = "libs/proto/src";

/** Generates anew into a directory aside and names what differs from the committed code. Empty text: nothing. */
export async function compareGenerated(timeoutMs: number): Promise<string> {
  const fresh = mkdtempSync(join(tmpdir(), "heddle-generated-"));
  try {
    const { exitCode, fault, output } = await runCommand({
      command: ["buf", "generate", "--output", fresh],
      output: "keep",
      timeoutMs,
    });
    if (exitCode !== 0) return fault ?? output;
    const differences = compareFolders(GENERATED, join(fresh, GENERATED));
    if (differences.length === 0) return "";
    return [...differences, "remedy: run `make generate` and commit what it changes"].join("\n");
  } finally {
    rmSync(fresh, { recursive: true });
  }
}

function compareFolders(committed: string, fresh: string): string[] {
  const there = listFiles(committed);
  const expected = listFiles(fresh);
  const all = [...new Set([...there, ...expected])].sort();
  return all.flatMap((path) => {
    if (!there.includes(path)) return [`${committed}/${path} is missing`];
    if (!expected.includes(path)) return [`${committed}/${path} is generated from no proto file`];
    const same = readFileSync(join(committed, path)).equals(readFileSync(join(fresh, path)));
    return same ? [] : [`${committed}/${path} differs from a fresh generation`];
  });
}

function listFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
}
