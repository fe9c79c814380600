import type { ServiceImpl } from "@connectrpc/connect";
import { summarizeParked } from "@heddle/journal-service";
import { DiagnosticsService } from "@heddle/proto/heddle/execution/v1/diagnostics_service_pb.js";
import type { OwnerRouter } from "@heddle/rpc";
import type { ExecutionContext } from "../handlers/context.ts";
import { describePartitions } from "../handlers/describe-partitions.ts";
import { inspectPartition } from "../handlers/inspect-partition.ts";
import { scanExecutions } from "../handlers/scan-executions.ts";

/** What the service tells of itself to whoever checks its promises. The database is every replica's, the memory is the owner's. */
export function createDiagnostics(
  context: ExecutionContext,
  router: OwnerRouter,
): ServiceImpl<typeof DiagnosticsService> {
  return {
    describePartitions: () => describePartitions(context),
    describeParkedEvents: async () => ({ parked: await summarizeParked(context.database) }),
    scanExecutions: (request) => scanExecutions(context, request),
    inspectPartition: router.stream(DiagnosticsService.method.inspectPartition, {
      partitionOf: ({ partition }) => partition,
      handle: (request) => inspectPartition(context, request),
      // Each execution is told as of its own moment: a new owner tells of all of them again.
      resume: (request) => request,
    }),
  };
}
