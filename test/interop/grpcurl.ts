import { mkdir } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { runProgram } from "./program.ts";

const VERSION = "v1.9.3";
const INSTALL_TIMEOUT_MS = 300_000;

/**
 * The path of grpcurl: from PATH, else from a cache in the home directory, into which it is built once when Go is there
 * (one to two minutes). Undefined when there is neither.
 */
export async function findGrpcurl(): Promise<string | undefined> {
  if (await works("grpcurl")) return "grpcurl";
  const directory = join(homedir(), ".cache", "heddle", `grpcurl-${VERSION}`);
  const cached = join(directory, "grpcurl");
  if (await works(cached)) return cached;
  await mkdir(directory, { recursive: true });
  const env = { ...process.env, GOBIN: directory };
  const target = `github.com/fullstorydev/grpcurl/cmd/grpcurl@${VERSION}`;
  await runProgram("go", ["install", target], { env, timeoutMs: INSTALL_TIMEOUT_MS });
  return (await works(cached)) ? cached : undefined;
}

async function works(file: string): Promise<boolean> {
  return (await runProgram(file, ["-version"])).code === 0;
}
