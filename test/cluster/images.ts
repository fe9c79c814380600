import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runProgram } from "../interop/program.ts";
import type { ClusterConfig } from "./config.ts";

const PROGRAMS = [
  "gateway",
  "definition",
  "execution",
  "scheduler",
  "statemachine",
  "worker",
  "cli",
  "load=test/cluster/load/main.ts",
];
const TIMEOUT_MS = 420_000;

/** Builds the images under both tags, and brings them to the cluster. */
export async function bringImages(config: ClusterConfig, log: (line: string) => void): Promise<void> {
  if (config.loadImages === undefined) {
    log(`images are taken from ${config.repository}, with the tags ${config.tags.join(" and ")}`);
    return;
  }
  const folder = await mkdtemp(join(tmpdir(), "heddle-cluster-"));
  try {
    for (const tag of config.tags) {
      const archive = join(folder, `${tag}.tar`);
      const build = ["deploy/image/main.ts", archive, "--repository", config.repository, "--tag", tag, ...PROGRAMS];
      await must(process.execPath, build);
      await must("sh", ["-c", `${config.loadImages} "$0"`, archive]);
      log(`images of ${tag} are built and loaded`);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function must(file: string, args: readonly string[]): Promise<void> {
  const { code, stderr } = await runProgram(file, args, { timeoutMs: TIMEOUT_MS });
  if (code !== 0) throw new Error(`${file} ${args.slice(0, 2).join(" ")}: ${stderr}`);
}
