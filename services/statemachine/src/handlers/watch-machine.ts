import { create } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import { watchHistory } from "@heddle/journal-service";
import {
  type WatchMachineRequest,
  type WatchMachineResponse,
  WatchMachineResponseSchema,
} from "@heddle/proto/heddle/statemachine/v1/statemachine_service_pb.js";
import { idOf, type MachineContext, readMachine } from "./context.ts";
import { toEvents } from "./list-machine-history.ts";

export async function* watchMachine(
  context: MachineContext,
  request: WatchMachineRequest,
  call: HandlerContext,
): AsyncIterable<WatchMachineResponse> {
  const { runtime, hub } = context;
  const id = idOf(request);
  const pages = watchHistory({
    runtime,
    hub,
    id,
    afterSeq: Number(request.afterSeq),
    async isEnded() {
      const { status } = (await readMachine(context, id)).state;
      // One that has failed may be resumed.
      return status === "finished" || status === "deleted";
    },
    signal: call.signal,
  });
  for await (const page of pages) yield create(WatchMachineResponseSchema, { events: toEvents(page) });
}
