import { create } from "@bufbuild/protobuf";
import type { ReplayComparison } from "@heddle/journal-service";
import { type ReplayOutcome, ReplayOutcomeSchema } from "@heddle/proto/heddle/execution/v1/diagnostics_service_pb.js";

export function toOutcome({ reachedSeq, difference }: ReplayComparison): ReplayOutcome {
  return create(ReplayOutcomeSchema, { reachedSeq: BigInt(reachedSeq), difference });
}
