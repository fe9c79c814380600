import { create } from "@bufbuild/protobuf";
import { DomainError } from "@heddle/errors";
import { findPayload } from "@heddle/journal-service";
import {
  type GetPayloadRequest,
  type GetPayloadResponse,
  GetPayloadResponseSchema,
} from "@heddle/proto/heddle/statemachine/v1/statemachine_service_pb.js";
import type { MachineContext } from "./context.ts";

export async function getPayload(
  { database }: Pick<MachineContext, "database">,
  { digest }: GetPayloadRequest,
): Promise<GetPayloadResponse> {
  const bytes = await findPayload(database, digest);
  if (bytes !== undefined) {
    return create(GetPayloadResponseSchema, { payload: { form: { case: "json", value: bytes.toString() } } });
  }
  throw new DomainError({
    kind: "not_found",
    reason: "PAYLOAD_NOT_FOUND",
    message: `there is no payload with digest ${digest}; digests come from the payload references of events`,
    metadata: { digest },
  });
}
