import { toJson } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import type { Signal } from "@heddle/engine";
import type { StartExecutionRequest } from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";

/** The signal that comes with a start. A start that can be repeated brings it once. */
export function signalOf({ signal, requestId }: StartExecutionRequest): Signal | undefined {
  if (signal === undefined) return undefined;
  const { name, key, payload } = signal;
  return {
    name,
    ...(key !== "" && { key }),
    payload: payload === undefined ? null : toJson(ValueSchema, payload),
    requestId: signal.requestId === "" && requestId !== "" ? `start/${requestId}` : signal.requestId,
  };
}
