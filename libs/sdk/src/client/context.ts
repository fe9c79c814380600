import type { RpcTransport } from "@heddle/rpc";
import type { Call } from "./call.ts";

/** What the parts of a client share. */
export interface ClientContext {
  transport: RpcTransport;
  /** Of every request. */
  namespace: string;
  call: Call;
}
