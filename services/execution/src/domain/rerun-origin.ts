import { create } from "@bufbuild/protobuf";
import type { RerunOrigin } from "@heddle/engine";
import { type RerunOrigin as ProtoRerun, RerunOriginSchema } from "@heddle/proto/heddle/execution/v1/execution_pb.js";

export function toProtoRerun(origin: RerunOrigin | undefined): ProtoRerun | undefined {
  return origin && create(RerunOriginSchema, { executionId: origin.executionId, fromNodeIds: origin.from });
}

export function fromProtoRerun(origin: ProtoRerun | undefined): RerunOrigin | undefined {
  return origin && { executionId: origin.executionId, from: origin.fromNodeIds };
}
