import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { JsonValue } from "@bufbuild/protobuf";
import { runProgram } from "../program.ts";

/** A consumer that shares no code with Heddle. */
export interface Stranger {
  name: string;
  /** Why it cannot run here and what to do about it; undefined when it can. */
  skipReason?: string;
  /** Reads the topic from its beginning to its present end. @throws with what the program says when it fails. */
  read(brokers: readonly string[], topic: string, descriptors: string): Promise<ReadEvent[]>;
}

/** An event of any kind: each has its place in the history. */
export interface EventJson {
  executionId: string;
  seq: string;
  [field: string]: JsonValue;
}

/** One event as the stranger saw it. */
export interface ReadEvent {
  partition: number;
  offset: number;
  key: string;
  headers: Record<string, string>;
  /** The message in proto3 JSON. */
  event: EventJson;
  /** The partition that the stranger's own library gives the key. */
  keyBelongsTo: number;
}

/** Everything that is fetched and built, outside of the sources. `make clean` removes it. */
const CACHE = join(import.meta.dirname, "../../../.cache/interop");
const INSTALL_TIMEOUT_MS = 300_000;

/** confluent-kafka, which is librdkafka. */
export async function findPythonConsumer(): Promise<Stranger> {
  const { environment, skipReason } = await preparePython();
  const program = join(import.meta.dirname, "python", "consume.py");
  return consumer("Python, confluent-kafka", skipReason, join(environment, "bin", "python"), [program]);
}

/** Makes a virtual environment from PyPI: 5 to 20 seconds, once. */
export async function preparePython(): Promise<{ environment: string; skipReason?: string }> {
  const requirements = join(import.meta.dirname, "python", "requirements.txt");
  const environment = join(CACHE, `python-${fingerprint(requirements)}`);
  const skipReason = await fillOnce(environment, async (complete) => {
    const created = await runProgram("python3", ["-m", "venv", environment], { timeoutMs: INSTALL_TIMEOUT_MS });
    if (created.code !== 0) return `put Python 3.10 or newer with venv on PATH (${firstLine(created)})`;
    const install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", requirements];
    const python = join(environment, "bin", "python");
    const installed = await runProgram(python, install, { timeoutMs: INSTALL_TIMEOUT_MS });
    if (installed.code !== 0) return `make PyPI reachable for pip (${firstLine(installed)})`;
    complete();
    return undefined;
  });
  return { environment, skipReason };
}

/** franz-go, which is pure Go. The first call builds it with modules of the Go proxy: about a minute. */
export async function findGoConsumer(): Promise<Stranger> {
  const folder = join(import.meta.dirname, "go");
  const build = join(CACHE, `go-${fingerprint(...["main.go", "go.mod", "go.sum"].map((name) => join(folder, name)))}`);
  const program = join(build, "consume");
  const skipReason = await fillOnce(build, async (complete) => {
    const { code } = await runProgram("go", ["version"]);
    if (code !== 0) return "put Go 1.26 or newer on PATH";
    // Neither another toolchain nor other modules than those that go.sum names.
    const env = { ...process.env, GOTOOLCHAIN: "local", GOFLAGS: "-mod=readonly -buildvcs=false" };
    const built = await runProgram("go", ["build", "-C", folder, "-o", program, "."], {
      env,
      timeoutMs: INSTALL_TIMEOUT_MS,
    });
    if (built.code !== 0)
      return `put Go 1.26 or newer on PATH and make a Go module proxy reachable (${firstLine(built)})`;
    complete();
    return undefined;
  });
  return consumer("Go, franz-go", skipReason, program, []);
}

function consumer(name: string, skipReason: string | undefined, program: string, args: readonly string[]): Stranger {
  return {
    name,
    skipReason,
    async read(brokers, topic, descriptors) {
      const result = await runProgram(program, [...args, brokers.join(","), topic, descriptors], { timeoutMs: 90_000 });
      if (result.code !== 0) throw new Error(`${name} ended with ${result.code}: ${result.stderr}`);
      const lines = result.stdout.toString().trim().split("\n");
      return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as ReadEvent);
    },
  };
}

/** Fills the folder unless that was completed before; a fill that was cut off is begun anew. */
async function fillOnce(
  folder: string,
  fill: (complete: () => void) => Promise<string | undefined>,
): Promise<string | undefined> {
  const mark = join(folder, ".complete");
  if (existsSync(mark)) return undefined;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  return await fill(() => writeFileSync(mark, ""));
}

/** Another list of dependencies, or another program, is another build. */
function fingerprint(...paths: string[]): string {
  const hash = createHash("sha256");
  for (const path of paths) hash.update(readFileSync(path));
  return hash.digest("hex").slice(0, 12);
}

function firstLine({ stderr }: { stderr: string }): string {
  return stderr.trim().split("\n", 1)[0] ?? "";
}
