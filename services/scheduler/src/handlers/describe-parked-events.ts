import { create } from "@bufbuild/protobuf";
import {
  type DescribeParkedEventsResponse,
  DescribeParkedEventsResponseSchema,
} from "@heddle/proto/heddle/scheduler/v1/diagnostics_service_pb.js";
import type { Database } from "@heddle/store";
import { countParkedEvents } from "../store/count-parked-events.ts";

/** A process without a database consumes nothing that it could set aside. */
export async function describeParkedEvents(database: Database | undefined): Promise<DescribeParkedEventsResponse> {
  const rows = database === undefined ? [] : await countParkedEvents(database);
  return create(DescribeParkedEventsResponseSchema, {
    parked: rows.map(({ consumer_group: group, topic, count, last_error: lastError }) => ({
      group,
      topic,
      count: BigInt(count),
      lastError,
    })),
  });
}
