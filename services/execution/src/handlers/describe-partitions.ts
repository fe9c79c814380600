import { create } from "@bufbuild/protobuf";
import { readPartitions } from "@heddle/journal-service";
import {
  type DescribePartitionsResponse,
  DescribePartitionsResponseSchema,
} from "@heddle/proto/heddle/execution/v1/diagnostics_service_pb.js";
import type { ExecutionContext } from "./context.ts";

export async function describePartitions({ database }: ExecutionContext): Promise<DescribePartitionsResponse> {
  const rows = await readPartitions(database);
  return create(DescribePartitionsResponseSchema, {
    partitions: rows.map(({ partition, owner, live, epoch, projected_offset: projected, published }) => ({
      partition,
      owner: owner ?? "",
      live,
      epoch: BigInt(epoch),
      projectedOffset: BigInt(projected),
      publishedOffsets: Object.fromEntries(Object.entries(published).map(([name, offset]) => [name, BigInt(offset)])),
    })),
  });
}
