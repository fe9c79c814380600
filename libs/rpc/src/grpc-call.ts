import {
  create,
  fromBinary,
  toBinary,
  type DescMessage,
  type DescMethod,
  type MessageInitShape,
  type MessageShape,
} from "@bufbuild/protobuf";
import { currentTrace, formatTraceparent } from "@heddle/telemetry";
import { Metadata } from "@grpc/grpc-js";
import { pathOf } from "./routes.ts";
import type { HeaderFields } from "./transport.ts";

/** What grpc-js must know of a method; the bridge from protobuf-es descriptors. */
export interface GrpcCall<I extends DescMessage, O extends DescMessage> {
  path: string;
  serialize(message: MessageInitShape<I>): Buffer;
  deserialize(bytes: Buffer): MessageShape<O>;
}

const calls = new WeakMap<DescMethod, GrpcCall<DescMessage, DescMessage>>();

export function grpcCallOf<I extends DescMessage, O extends DescMessage>(
  method: DescMethod & { input: I; output: O },
): GrpcCall<I, O> {
  const known = calls.get(method);
  if (known !== undefined) return known;
  const call: GrpcCall<I, O> = {
    path: pathOf(method),
    serialize(message) {
      const bytes = toBinary(method.input, create(method.input, message));
      return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    },
    deserialize: (bytes) => fromBinary(method.output, bytes),
  };
  calls.set(method, call);
  return call;
}

/** The headers of a call, and the trace of the request that is being handled. */
export function metadataOf(header: HeaderFields): Metadata {
  const metadata = new Metadata();
  const trace = currentTrace();
  if (trace !== undefined) metadata.set("traceparent", formatTraceparent(trace));
  if (header === undefined) return metadata;
  for (const [name, value] of new Headers(header)) {
    metadata.set(name, name.endsWith("-bin") ? Buffer.from(value, "base64") : value);
  }
  return metadata;
}

export function headersOf(metadata: Metadata | undefined): Headers {
  const headers = new Headers();
  for (const [name, values] of Object.entries(metadata?.toJSON() ?? {})) {
    for (const value of values) headers.append(name, typeof value === "string" ? value : value.toString("base64"));
  }
  return headers;
}
