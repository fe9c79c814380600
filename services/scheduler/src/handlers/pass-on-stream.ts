import type { HandlerContext } from "@connectrpc/connect";
import { DomainError } from "@heddle/errors";
import {
  type ConnectRequest,
  type ConnectResponse,
  WorkerService,
} from "@heddle/proto/heddle/worker/v1/worker_service_pb.js";
import { FORWARDED_HEADER, forwardCall, type RpcTransport } from "@heddle/rpc";
import { shardNotOwned } from "../shards/not-owned.ts";
import type { Place, ShardSet } from "../shards/shard-set.ts";

export interface PassOnOptions {
  shards: ShardSet;
  shard: number;
  place: Place & { here: undefined };
  transport: RpcTransport;
  frames: AsyncIterable<ConnectRequest>;
  call: HandlerContext;
}

/**
 * A worker's stream between it and the owner of its namespace, both ways, at the pace of the slower end. Over when the
 * owner ends it, and when another replica has become the owner, of which one that hangs says nothing: the worker then
 * connects again.
 */
export async function* passOnStream(options: PassOnOptions): AsyncGenerator<ConnectResponse> {
  const { shards, shard, place, transport, frames, call } = options;
  const watch = place.watch();
  const stop = new AbortController();
  let closed: DomainError | undefined;
  const forget = shards.passedOn.add((reason) => {
    closed = reason;
    stop.abort();
  });
  const signal = AbortSignal.any([call.signal, watch.signal, stop.signal]);
  const passed = { ...call, signal };
  const headers = { [FORWARDED_HEADER]: "1" };
  try {
    yield* forwardCall(
      transport,
      WorkerService.method.connect,
      frames,
      passed,
      headers,
    ) as AsyncIterable<ConnectResponse>;
  } catch (error) {
    if (closed !== undefined) throw closed;
    if (watch.signal.aborted) throw shardNotOwned(shard, undefined);
    if (error instanceof DomainError && error.reason === "UNAVAILABLE") place.suspect();
    throw error;
  } finally {
    forget();
    watch.end();
  }
}
