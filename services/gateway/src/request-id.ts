import { randomUUID } from "node:crypto";
import { type DescMethod, ScalarType } from "@bufbuild/protobuf";

interface MayHaveRequestId {
  requestId: string;
}

/**
 * Gives a request that has no `request_id` one, where it takes one. Behind the edge a call is repeated when its answer
 * was lost, and only the id tells the service that answers that it has done this once. Undefined for a method that takes none.
 */
export function requestIdSetter({ input, methodKind }: DescMethod): ((request: unknown) => void) | undefined {
  const field = input.field["requestId"];
  if (methodKind !== "unary" || field?.fieldKind !== "scalar" || field.scalar !== ScalarType.STRING) return undefined;
  return (request) => {
    const message = request as MayHaveRequestId;
    if (message.requestId === "") message.requestId = `edge-${randomUUID()}`;
  };
}
