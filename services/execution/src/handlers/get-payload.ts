import { create } from "@bufbuild/protobuf";
import { DomainError } from "@heddle/errors";
import {
  type GetPayloadRequest,
  type GetPayloadResponse,
  GetPayloadResponseSchema,
} from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import { findPayload } from "@heddle/journal-service";
import type { ExecutionContext } from "./context.ts";

export async function getPayload(context: ExecutionContext, request: GetPayloadRequest): Promise<GetPayloadResponse> {
  const bytes = await findPayload(context.database, request.digest);
  if (bytes === undefined) {
    throw new DomainError({
      kind: "not_found",
      reason: "PAYLOAD_NOT_FOUND",
      message: `there is no payload with digest ${request.digest}; digests come from the payload references of events`,
      metadata: { digest: request.digest },
    });
  }
  return create(GetPayloadResponseSchema, { payload: { form: { case: "json", value: bytes.toString() } } });
}
