import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  type DescribeQueueRequest,
  type DescribeQueueResponse,
  DescribeQueueResponseSchema,
  QueueSchema,
} from "@heddle/proto/heddle/scheduler/v1/scheduler_service_pb.js";
import type { SchedulerContext } from "../context.ts";
import { describeQueues } from "../domain/describe.ts";
import { findNamespace } from "../domain/state.ts";

export function describeQueue({ state }: SchedulerContext, request: DescribeQueueRequest): DescribeQueueResponse {
  const namespace = findNamespace(state, request.namespace);
  const queues = namespace === undefined ? [] : describeQueues(namespace, { type: request.type, name: request.name });
  return create(DescribeQueueResponseSchema, {
    queues: queues.map(({ oldestScheduledAtMs, waiting, running, freeSlots, ...queue }) =>
      create(QueueSchema, {
        ...queue,
        waiting: BigInt(waiting),
        running: BigInt(running),
        freeSlots: BigInt(freeSlots),
        oldestScheduledAt: oldestScheduledAtMs === undefined ? undefined : timestampFromMs(oldestScheduledAtMs),
      }),
    ),
  });
}
