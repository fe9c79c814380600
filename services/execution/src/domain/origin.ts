import { create } from "@bufbuild/protobuf";
import type { ExecutionOrigin } from "@heddle/engine";
import {
  ExecutionOriginSchema,
  OriginKind,
  type ExecutionOrigin as ProtoOrigin,
} from "@heddle/proto/heddle/execution/v1/execution_pb.js";

/** Who waits for the end of an execution, as a message. */
export function toProtoOrigin(origin: ExecutionOrigin | undefined): ProtoOrigin | undefined {
  if (origin === undefined) return undefined;
  const { id, name, token } = origin;
  return create(ExecutionOriginSchema, { kind: OriginKind.MACHINE, id, name, token: BigInt(token) });
}

export function fromProtoOrigin(origin: ProtoOrigin | undefined): ExecutionOrigin | undefined {
  if (origin === undefined) return undefined;
  return { kind: "machine", id: origin.id, name: origin.name, token: Number(origin.token) };
}
