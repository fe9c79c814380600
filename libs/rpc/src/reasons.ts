/** Reasons that any RPC may give: values of heddle.common.v1.ErrorReason. A service's own stand in its `error_reason.proto`. */
export const RpcReason = {
  /** The request breaks a rule of its message; see the field violations. */
  requestInvalid: "REQUEST_INVALID",
  /** The method is in the contract, and this server does not offer it. */
  methodNotImplemented: "METHOD_NOT_IMPLEMENTED",
  /** The call took longer than its deadline. */
  deadlineExceeded: "DEADLINE_EXCEEDED",
  /** The server shuts down; another one, or the same one later, will take the call. */
  shuttingDown: "SHUTTING_DOWN",
  /** More messages wait in a stream than it holds: the reader is too slow. */
  overloaded: "OVERLOADED",
  /** A defect of the server. The metadata has a `reference` that stands in its log as well. */
  internal: "INTERNAL",
} as const;

/** `domain` of every google.rpc.ErrorInfo that we send. */
export const ERROR_DOMAIN = "heddle";
