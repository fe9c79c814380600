import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { BatchStatus } from "@heddle/proto/heddle/execution/v1/batch_pb.js";
import { BatchService, type CreateBatchRequest } from "@heddle/proto/heddle/execution/v1/batch_service_pb.js";
import {
  ExecutionService,
  type ListIncidentsRequest,
  type ResolveIncidentRequest,
} from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import { expect, it } from "vitest";
import { clientOf } from "../../test/client-of.ts";

const ID = "0199aaaa-0000-7000-8000-000000000001";
const OPENED = new Date("2030-01-31T08:00:00.123Z");
it("lists all pages of incidents, and resolves the very one that was listed", async () => {
  const listed: ListIncidentsRequest[] = [];
  const resolved: ResolveIncidentRequest[] = [];
  const incident = {
    executionId: ID,
    nodeId: "charge",
    kind: "task",
    turns: [{ nodeId: "days", turn: 2 }],
    failure: { type: "closed", message: "it is closed", business: true },
    attempts: 3,
    openedAt: timestampFromDate(OPENED),
  };
  const client = clientOf((router) =>
    router.service(ExecutionService, {
      listIncidents(request) {
        listed.push(request);
        return { incidents: [incident], nextPageToken: request.pageToken === "" ? "2" : "" };
      },
      resolveIncident(request) {
        resolved.push(request);
        return { execution: { executionId: ID, status: 1, openIncidents: 1 } };
      },
    }),
  );
  const found = [];
  for await (const one of client.incidents({ failureType: "closed", openedBefore: OPENED })) found.push(one);
  expect(found).toHaveLength(2);
  expect(found[0]).toMatchObject({
    executionId: ID,
    nodeId: "charge",
    turns: [{ nodeId: "days", turn: 2 }],
    failure: { type: "closed", business: true },
    attempts: 3,
    openedAt: OPENED,
  });
  expect(listed).toMatchObject([
    { namespace: "sales", failureType: "closed", openedBefore: timestampFromDate(OPENED), pageToken: "" },
    { pageToken: "2" },
  ]);
  const { openedAt } = found[0]!;
  const execution = await client.resolveIncident(ID, "charge", { action: "skip" }, { openedAt });
  expect(execution.openIncidents).toBe(1);
  expect(resolved[0]).toMatchObject({ nodeId: "charge", openedAt: timestampFromDate(OPENED) });
});

it("resolves incidents of many executions by a batch", async () => {
  const requests: CreateBatchRequest[] = [];
  const client = clientOf((router) =>
    router.service(BatchService, {
      createBatch(request) {
        requests.push(request);
        return { batch: { batchId: ID, status: BatchStatus.RUNNING } };
      },
    }),
  );
  await client.batches.create({
    filter: { hasIncidents: true },
    operation: {
      kind: "resolve_incidents",
      failureType: "closed",
      resolution: { action: "retry", input: { amount: 4 } },
    },
  });
  expect(requests[0]).toMatchObject({
    filter: { hasIncidents: true },
    operation: {
      operation: { case: "resolveIncidents", value: { failureType: "closed", resolution: { case: "retry" } } },
    },
  });
});
