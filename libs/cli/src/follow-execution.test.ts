import { DomainError } from "@heddle/errors";
import { expect, it } from "vitest";
import { executionId, sampleEvents } from "../test/sample.ts";
import type { CliClient } from "./client.ts";
import { followExecution } from "./follow-execution.ts";

const events = sampleEvents(
  Array.from({ length: 6 }, (_, index) => ({ case: "logged" as const, value: { message: String(index) } })),
);
const gone = new DomainError({ kind: "unavailable", reason: "SHUTTING_DOWN", message: "the server stops" });

type Call = (afterSeq: bigint) => AsyncIterable<{ events: typeof events }>;

/** A server whose watch calls behave one after the other as given. */
function server(...calls: Call[]): { client: Pick<CliClient, "executions">; asked: bigint[] } {
  const asked: bigint[] = [];
  const watchExecution = ({ afterSeq }: { afterSeq: bigint }) => {
    asked.push(afterSeq);
    const call = calls[Math.min(asked.length, calls.length) - 1];
    return call?.(afterSeq);
  };
  return { client: { executions: { watchExecution } } as unknown as Pick<CliClient, "executions">, asked };
}

async function follow(
  client: Pick<CliClient, "executions">,
  signal = new AbortController().signal,
  retryMs = [1, 1, 1],
) {
  const seen: bigint[] = [];
  for await (const batch of followExecution(client, { executionId, afterSeq: 0n, signal, retryMs })) {
    seen.push(...batch.map(({ seq }) => seq));
  }
  return seen;
}

it("goes on behind the last event when the server went away, and gives each event once", async () => {
  const { client, asked } = server(
    async function* first() {
      yield { events: events.slice(0, 2) };
      throw gone;
    },
    // oxlint-disable-next-line require-yield -- still down
    async function* down() {
      throw gone;
    },
    async function* again() {
      yield { events: events.slice(0, 4) };
      yield { events: events.slice(4) };
    },
  );
  expect(await follow(client)).toEqual([1n, 2n, 3n, 4n, 5n, 6n]);
  expect(asked).toEqual([0n, 2n, 2n]);
});

it("gives up when the server stays away", async () => {
  // oxlint-disable-next-line require-yield -- down
  const { client, asked } = server(async function* down() {
    throw gone;
  });
  await expect(follow(client)).rejects.toThrow("the server stops");
  expect(asked).toHaveLength(4);
});

it("does not repeat what is refused", async () => {
  // oxlint-disable-next-line require-yield -- refuses
  const { client, asked } = server(async function* refuses() {
    throw new DomainError({ kind: "not_found", reason: "EXECUTION_NOT_FOUND", message: "no such execution" });
  });
  await expect(follow(client)).rejects.toThrow("no such execution");
  expect(asked).toHaveLength(1);
});

it("ends with the reason of its signal, also in a pause", async () => {
  const abort = new AbortController();
  // oxlint-disable-next-line require-yield -- down
  const { client } = server(async function* down() {
    setImmediate(() => abort.abort(new Error("enough")));
    throw gone;
  });
  await expect(follow(client, abort.signal, [1_000_000])).rejects.toThrow("enough");
});
