import { fromJson, toJson } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import { DomainError } from "@heddle/errors";
import { ExecutionService } from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import { expect, it } from "vitest";
import { clientOf } from "../../test/client-of.ts";
import { ExecutionUpdateError } from "../index.ts";

const ID = "0199aaaa-0000-7000-8000-000000000001";

it("updates with one request id however often it has to ask, and gives the reply", async () => {
  const requestIds: string[] = [];
  const client = clientOf((router) =>
    router.service(ExecutionService, {
      updateExecution({ name, payload, requestId }) {
        requestIds.push(requestId);
        if (requestIds.length < 3)
          throw new DomainError({ kind: "unavailable", reason: "SHUTTING_DOWN", message: "draining" });
        return { requestId, reply: fromJson(ValueSchema, { name, got: toJson(ValueSchema, payload!) }) };
      },
    }),
  );
  expect(await client.update(ID, "pay", { card: 1 })).toEqual({ name: "pay", got: { card: 1 } });
  expect(requestIds).toHaveLength(3);
  expect(new Set(requestIds).size).toBe(1);
});

it("tells an update without a reply from one that is not answered yet", async () => {
  const client = clientOf((router) =>
    router.service(ExecutionService, {
      updateExecution: ({ name, requestId }) =>
        name === "fails" ? { requestId, failure: { type: "declined", message: "no money" } } : { requestId },
    }),
  );
  const failed = await client.update(ID, "fails", null, { requestId: "r" }).catch((error: unknown) => error);
  expect(failed).toBeInstanceOf(ExecutionUpdateError);
  expect(failed).toMatchObject({ update: { requestId: "r", failure: { type: "declined" } } });
  await expect(client.update(ID, "slow", null, { waitMs: 0 })).rejects.toThrow("is not answered yet");
});

it("queries, and tells events by their keys", async () => {
  const client = clientOf((router) =>
    router.service(ExecutionService, {
      queryExecution: ({ name, args }) => ({ output: fromJson(ValueSchema, [name, toJson(ValueSchema, args!)]) }),
      publishEvent: ({ namespace, name, key }) => ({ eventId: `${namespace}/${name}/${key}`, told: key.length }),
    }),
  );
  expect(await client.query(ID, "progress", { of: "all" })).toEqual(["progress", { of: "all" }]);
  expect(await client.emit("order_paid", { amount: 1 }, { key: "7" })).toBe(1);
});
