import { setTimeout as sleep } from "node:timers/promises";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import { DomainError } from "@heddle/errors";
import { createLogger } from "@heddle/telemetry";
import { createPushable, type Routes } from "../src/index.ts";
import { EchoService, type Echo } from "./echo-service.ts";

export const silent = createLogger({ name: "test", level: "silent" });

/** What the last calls of a handler saw, for tests that look at the server's side. */
export interface Seen {
  contexts: HandlerContext[];
}

/**
 * The text says what a call is to do: `domain` and `defect` fail, `slow` waits for the signal, `wait <ms>` waits, anything
 * else comes back.
 */
export function echoImplementation(seen: Seen): Partial<ServiceImpl<typeof EchoService>> {
  return {
    async once(request, context) {
      seen.contexts.push(context);
      await act(request, context);
      return request;
    },
    async read(request, context) {
      seen.contexts.push(context);
      await act(request, context);
      return request;
    },
    async *down(request, context) {
      seen.contexts.push(context);
      for (let count = 1; count <= request.count; count += 1) yield { ...request, count };
      await act(request, context);
    },
    async up(requests) {
      let count = 0;
      for await (const request of requests) count += request.count;
      return { text: "sum", count };
    },
    async *both(requests, context) {
      seen.contexts.push(context);
      const out = createPushable<Echo>({ signal: context.signal });
      const reading = (async () => {
        for await (const request of requests) {
          await act(request, context);
          out.push(request);
        }
      })().then(
        () => out.end(),
        (error: Error) => out.fail(error),
      );
      yield* out;
      await reading;
    },
  };
}

export function echoRoutes(seen: Seen = { contexts: [] }): Routes {
  return (router) => router.service(EchoService, echoImplementation(seen));
}

async function act({ text }: Echo, { signal }: HandlerContext): Promise<void> {
  if (text === "domain") throw domainError();
  if (text === "defect") throw new TypeError("secret: the password is hunter2");
  if (text === "deaf") await new Promise(() => {});
  if (text === "slow") await sleep(60_000, undefined, { signal });
  if (text.startsWith("wait ")) await sleep(Number(text.slice("wait ".length)), undefined, { signal });
}

export function domainError(): DomainError {
  return new DomainError({
    kind: "resource_exhausted",
    reason: "QUEUE_FULL",
    message: 'queue "äöü 100%" is full; try later',
    metadata: { queue: "q1" },
    violations: [{ field: "items[2].id", description: "is taken" }],
    retryAfterMs: 1500,
  });
}
