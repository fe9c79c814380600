import { get } from "node:http";
import { PROBE_TIMEOUT_MS } from "./limits.ts";

/** Whether the process at `url` says that it can answer calls. Opens a connection of its own, so that none stays behind. */
export function probe(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get(`${url}/healthz`, { agent: false, timeout: PROBE_TIMEOUT_MS }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.on("timeout", () => request.destroy());
    request.on("error", () => resolve(false));
  });
}
