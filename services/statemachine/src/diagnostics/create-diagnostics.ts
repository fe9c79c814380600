import type { ServiceImpl } from "@connectrpc/connect";
import { readPartitions, summarizeParked } from "@heddle/journal-service";
import type { DiagnosticsService } from "@heddle/proto/heddle/statemachine/v1/diagnostics_service_pb.js";
import type { MachineContext } from "../handlers/context.ts";
import { scanMachines } from "./scan-machines.ts";

/** What the service tells of itself to whoever checks its promises: all from the database, so any replica answers. */
export function createDiagnostics(context: MachineContext): ServiceImpl<typeof DiagnosticsService> {
  return {
    async describePartitions() {
      const rows = await readPartitions(context.database);
      return {
        partitions: rows.map(({ partition, owner, live, epoch }) => ({
          partition,
          owner: owner ?? "",
          live,
          epoch: BigInt(epoch),
        })),
      };
    },
    scanMachines: (request) => scanMachines(context, request),
    describeParkedEvents: async () => ({ parked: await summarizeParked(context.database) }),
  };
}
