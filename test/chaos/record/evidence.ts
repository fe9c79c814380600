import { writeFile } from "node:fs/promises";
import { toJson } from "@bufbuild/protobuf";
import { ExecutionEventSchema } from "@heddle/proto/heddle/execution/v1/execution_event_pb.js";
import type { CheckResult } from "../checks/check.ts";
import type { RunRecord } from "./run-record.ts";

const EXECUTION_ID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

/**
 * Keeps what is known of every execution that a violation names: state, history and effects, one line each. The database is
 * gone when somebody reads the report.
 */
export async function writeEvidence(path: string, results: readonly CheckResult[], record: RunRecord): Promise<void> {
  const named = new Set(
    results.flatMap(({ violations }) => violations.flatMap((each) => each.match(EXECUTION_ID) ?? [])),
  );
  if (named.size === 0) return;
  const lines = [...named].flatMap((id) => [
    { execution: record.executions.get(id) ?? id },
    ...(record.histories.get(id) ?? []).map((event) => ({ event: toJson(ExecutionEventSchema, event) })),
    ...record.effects.filter(({ key }) => key.startsWith(`${id}/`)).map((effect) => ({ effect })),
  ]);
  await writeFile(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
}
