import { create } from "@bufbuild/protobuf";
import { createSqlPoisonStore } from "@heddle/events";
import {
  type DescribeParkedEventsResponse,
  DescribeParkedEventsResponseSchema,
} from "@heddle/proto/heddle/scheduler/v1/diagnostics_service_pb.js";
import type { Database } from "@heddle/store";

/** A process without a database consumes nothing that it could set aside. */
export async function describeParkedEvents(database: Database | undefined): Promise<DescribeParkedEventsResponse> {
  if (database === undefined) return create(DescribeParkedEventsResponseSchema);
  const parked = await createSqlPoisonStore({ transaction: database.transaction }).summarize();
  return create(DescribeParkedEventsResponseSchema, {
    parked: parked.map(({ messages, ...rest }) => ({ ...rest, count: BigInt(messages) })),
  });
}
