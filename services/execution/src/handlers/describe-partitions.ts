import { create } from "@bufbuild/protobuf";
import {
  type DescribePartitionsResponse,
  DescribePartitionsResponseSchema,
} from "@heddle/proto/heddle/execution/v1/diagnostics_service_pb.js";
import { describePartitions as query } from "../store/describe-partitions.ts";
import type { ExecutionContext } from "./context.ts";

export async function describePartitions({ database }: ExecutionContext): Promise<DescribePartitionsResponse> {
  const rows = await query(database);
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
