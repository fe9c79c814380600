export { toCallerError } from "./boundary.ts";
export { toConnectError } from "./connect-error.ts";
export { createHealth, type Health, type HealthStatus } from "./health.ts";
export { DEFAULT_LIMITS, type RpcLimits } from "./limits.ts";
export { createPushable, type Pushable, type PushableOptions } from "./pushable.ts";
export { RpcReason } from "./reasons.ts";
export type { Routes } from "./routes.ts";
export { createServer, type CreateServerOptions, type RpcServer } from "./server.ts";
export { closeOnSignal, type ShutdownOptions } from "./shutdown.ts";
export { type CertificateFiles, type Certificates, openCertificates } from "./tls/certificates.ts";
export type { ClientTls } from "./tls/client-tls.ts";
export type { Cleartext, ServerTls } from "./tls/server-tls.ts";
export { toDomainError } from "./to-domain-error.ts";
export type { ValidationOptions } from "./validation.ts";
export { callOptionsOf, createRpcClient, type RpcClient } from "./client.ts";
export { createConnectTransport, type ConnectTransportOptions } from "./connect-transport.ts";
export { createEdgeTransport, type EdgeTransportOptions, type TlsOptions } from "./edge-transport.ts";
export { createGrpcTransport, type GrpcTransportOptions } from "./grpc-transport.ts";
export { createInMemoryTransport, type InMemoryTransportOptions } from "./in-memory-transport.ts";
export type { BidiStream, OpenStreamOptions, RpcTransport, StreamHandlers } from "./transport.ts";
export { createDialer, type Dial, type Dialer, type DialerOptions } from "./dialer.ts";
export { createForwardingService, forwardCall } from "./forward.ts";
export { afterCommit, readChanged } from "./after-commit.ts";
export {
  createOwnerRouter,
  FORWARDED_HEADER,
  hasMoved,
  type OwnerRouter,
  type OwnerRouterOptions,
  ownCallOf,
  type StreamRoute,
  type UnaryRoute,
} from "./owner-router.ts";
export type { PartitionDirectory, PartitionOwner } from "./partition-directory.ts";
