import { create } from "@bufbuild/protobuf";
import { DomainError } from "@heddle/errors";
import type { Submission } from "@heddle/journal";
import { TaskResultSchema } from "@heddle/proto/heddle/scheduler/v1/task_pb.js";
import { createLogger } from "@heddle/telemetry";
import { expect, it } from "vitest";
import type { ExecutionCommand } from "../domain/aggregate.ts";
import { submitResults } from "./submit-results.ts";

const TASK_ID = "01900000-0000-7000-8000-000000000000/node/1";

/** What `done` is called with when the journal answers the one result with `error`. */
function answered(error: unknown, taskId = TASK_ID): (string | undefined)[] {
  const done: (string | undefined)[] = [];
  const submitAll = (items: readonly Submission<ExecutionCommand>[]): void => {
    for (const { onDone } of items) onDone?.(error);
  };
  const results = [create(TaskResultSchema, { taskId })];
  submitResults(
    { submitAll },
    results,
    (returned) => done.push(returned),
    createLogger({ name: "test", level: "silent" }),
  );
  return done;
}

const refusal = (reason: string): DomainError => new DomainError({ kind: "unavailable", reason, message: "no" });

it("is done with a result that is durable, refused for good, or of nobody", () => {
  expect(answered(undefined)).toEqual([undefined]);
  expect(answered(refusal("TASK_NOT_RUNNING"))).toEqual([undefined]);
  expect(answered(new Error("a defect"))).toEqual([undefined]);
  expect(answered(undefined, "no task")).toEqual([undefined]);
});

it.each(["PARTITION_NOT_OWNED", "PARTITION_LOST", "SHUTTING_DOWN", "COMMIT_OUTCOME_UNKNOWN"])(
  "gives a result back that was refused with %s: it is the next owner's",
  (reason) => {
    expect(answered(refusal(reason))).toEqual([TASK_ID]);
  },
);
