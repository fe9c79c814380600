import { spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import { text } from "node:stream/consumers";
import type { DoctorFinding } from "./run-record.ts";

/** What `heddle doctor --json` prints. */
interface DoctorOutput {
  unchecked: string[];
  checks: { id: string; looked: number; violations: number; findings: { executionId?: string; message: string }[] }[];
}

const HEDDLE = resolve(import.meta.dirname, "../../../libs/cli/bin/heddle.js");

/** Has the suite examined by the command that its operators use. @throws Error when the command itself fails */
export async function askDoctor(address: string, brokers: readonly string[]): Promise<DoctorFinding[]> {
  const args = [
    HEDDLE,
    "doctor",
    "--json",
    "--address",
    address,
    ...brokers.flatMap((broker) => ["--brokers", broker]),
  ];
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [output, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "exit")]);
  let found: DoctorOutput;
  try {
    found = JSON.parse(output) as DoctorOutput;
  } catch (cause) {
    throw new Error(`heddle doctor ended with code ${String(code)} and said no JSON: ${errors}${output}`, { cause });
  }
  return [
    ...found.checks.map(({ id, looked, findings }) => ({
      id,
      looked,
      findings: findings.map(({ executionId, message }) => [executionId ?? "", message].join(" ").trim()),
    })),
    // What it could not look at is not clean.
    ...found.unchecked.map((what) => ({ id: "unchecked", looked: 0, findings: [what] })),
  ];
}
