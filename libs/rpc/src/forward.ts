import type { DescMethod, DescService } from "@bufbuild/protobuf";
import type { CallOptions, HandlerContext, ServiceImpl } from "@connectrpc/connect";
import { callOptionsOf, createRpcClient } from "./client.ts";
import type { RpcTransport } from "./transport.ts";

/** Headers of the caller that concern whoever answers in the end. */
const PASSED_ON = ["traceparent", "tracestate", "authorization"];

type Call = (input: unknown, options: CallOptions) => unknown;
type AnyClient = Readonly<Record<string, Call>>;

/** A client is made of functions for all methods: more than a small call otherwise costs. */
const clients = new WeakMap<RpcTransport, Map<DescService, AnyClient>>();

function clientOf(service: DescService, transport: RpcTransport): AnyClient {
  const known = clients.get(transport) ?? new Map<DescService, AnyClient>();
  clients.set(transport, known);
  const client = known.get(service) ?? createRpcClient(service, transport);
  known.set(service, client);
  return client;
}

/**
 * Passes one call on to another process, of whatever kind the method is: with the caller's deadline, trace and
 * credentials; it ends when the caller gives up. Errors come back as the DomainErrors that they were there.
 * `headers` are added.
 */
export function forwardCall(
  transport: RpcTransport,
  method: DescMethod,
  input: unknown,
  context: HandlerContext,
  headers: Readonly<Record<string, string>> = {},
): unknown {
  const passed = new Headers(headers);
  for (const name of PASSED_ON) {
    const value = context.requestHeader.get(name);
    if (value !== null) passed.set(name, value);
  }
  const client = clientOf(method.parent, transport);
  const call = client[method.localName];
  if (call === undefined) throw new TypeError(`${method.parent.typeName} has no method ${method.localName}`);
  return call(input, { ...callOptionsOf(context), headers: passed });
}

/** An implementation of a service that passes every call on to where `transport` leads: what an edge is made of. */
export function createForwardingService<S extends DescService>(service: S, transport: RpcTransport): ServiceImpl<S> {
  const implementation: Record<string, unknown> = {};
  for (const method of service.methods) {
    implementation[method.localName] = (input: unknown, context: HandlerContext) =>
      forwardCall(transport, method, input, context);
  }
  return implementation as ServiceImpl<S>;
}
