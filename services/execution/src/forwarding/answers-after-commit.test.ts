import { create } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import { DomainError } from "@heddle/errors";
import {
  CommentOnHumanTaskRequestSchema,
  CompleteHumanTaskRequestSchema,
} from "@heddle/proto/heddle/execution/v1/human_task_service_pb.js";
import { SignalExecutionRequestSchema } from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import { createOwnerRouter } from "@heddle/rpc";
import { expect, it } from "vitest";
import type { ExecutionContext } from "../handlers/context.ts";
import { createHumanTaskMethods } from "../human/human-task-methods.ts";
import { createAtOwner } from "./at-owner.ts";
import { createRoutedMethods } from "./routed-methods.ts";

const ID = "01900000-0000-7000-8000-000000000001";
const CALL = {
  requestHeader: new Headers(),
  signal: new AbortController().signal,
  timeoutMs: () => undefined,
} as HandlerContext;
const COMPLETION = create(CompleteHumanTaskRequestSchema, { taskId: `${ID}/ask`, user: "ann" });
const COMMENT = create(CommentOnHumanTaskRequestSchema, { taskId: `${ID}/ask`, user: "ann", text: "well" });
const SIGNAL = create(SignalExecutionRequestSchema, { executionId: ID, name: "go" });

type Methods = ReturnType<typeof createRoutedMethods> & ReturnType<typeof createHumanTaskMethods>;

it.each<[string, (methods: Methods) => unknown]>([
  ["a human task is completed", (methods) => methods.completeHumanTask(COMPLETION, CALL)],
  ["a human task is commented on", (methods) => methods.commentOnHumanTask(COMMENT, CALL)],
  ["a signal is sent", (methods) => methods.signalExecution(SIGNAL, CALL)],
])("%s once when the partition moves after the commit, and nobody has it in time", async (_, ask) => {
  let committed = 0;
  const notOwned = new DomainError({ kind: "unavailable", reason: "PARTITION_NOT_OWNED", message: "it has moved" });
  const runtime = {
    partitionOf: () => 1,
    submit: async () => void (committed += 1),
    read: () => Promise.reject(notOwned),
  };
  const directory = {
    owner: "a",
    isOwned: () => true,
    findOwner: async () => undefined,
    isLive: () => true,
    onOwnersChange: () => () => undefined,
  };
  const router = createOwnerRouter({ directory, waitMaxMs: 100 });
  const context = { runtime, atOwner: createAtOwner(() => methods) } as unknown as ExecutionContext;
  const methods: Methods = { ...createRoutedMethods(context, router), ...createHumanTaskMethods(context, router) };
  await expect((async () => await ask(methods))()).rejects.toMatchObject({ reason: "COMMIT_OUTCOME_UNKNOWN" });
  expect(committed).toBe(1);
});
