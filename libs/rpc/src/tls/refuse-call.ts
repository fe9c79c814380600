import type { NodeRequest, NodeResponse } from "../node-handler.ts";
import { sendGrpcRefusal, sendJson } from "../send.ts";

const WITHOUT_TLS = "this server takes calls by TLS only: begin its address with https://";
const WITHOUT_CERTIFICATE =
  "this server takes calls only of clients with a certificate of the right authority: give one with its key (HEDDLE_TLS_CERT_FILE and HEDDLE_TLS_KEY_FILE)";

/** Answers a call on a connection that may not make any, so that its caller knows why. Says true: it is answered. */
export function refuseCall(request: NodeRequest, response: NodeResponse): true {
  const message = "encrypted" in request.socket ? WITHOUT_CERTIFICATE : WITHOUT_TLS;
  if (request.headers["content-type"]?.startsWith("application/grpc") === true) {
    sendGrpcRefusal(request, response, 16, message);
  } else {
    sendJson(response, 401, { code: "unauthenticated", message });
  }
  return true;
}
