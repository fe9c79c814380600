import { createServer } from "node:http";
import { DomainError } from "@heddle/errors";
import { createClient } from "@heddle/sdk";
import { readLoadConfig } from "./config.ts";
import { loadDefinition, STEPS, WORKFLOW } from "./definition.ts";
import { createTally } from "./tally.ts";

/*
 * Load from inside the cluster, as a user's program makes it: the SDK, the edge, chains of steps that built-in workers run.
 * GET /figures tells what has happened since the last time; GET /stop lets what is under way end, and tells all of it.
 */
const { address, inFlight, port } = readLoadConfig();
const client = createClient({ address });
const tally = createTally();
let next = 0;
let stopping = false;

await client.publish({ source: loadDefinition() });
const lanes = Promise.all(Array.from({ length: inFlight }, runLane));

createServer((request, response) => {
  const answer = async (): Promise<object> => {
    if (request.url === "/figures") return tally.take();
    if (request.url !== "/stop") return {};
    stopping = true;
    await lanes;
    return { ...tally.all(), duplicates: await countDuplicates() };
  };
  answer().then(
    (body) => response.end(JSON.stringify(body)),
    (error: Error) => response.writeHead(500).end(error.stack),
  );
}).listen(port, "0.0.0.0");

async function runLane(): Promise<void> {
  while (!stopping) {
    const number = next++;
    const begun = performance.now();
    const requestId = `load-${number}`;
    try {
      const started = await client.start(
        { workflowId: WORKFLOW, input: { n: number }, requestId },
        { timeoutMs: 30_000 },
      );
      tally.started(performance.now() - begun);
      const output = await client.result(started.executionId, { timeoutMs: 120_000 });
      const expected = number + STEPS;
      tally.ended(
        started.executionId,
        performance.now() - begun,
        output === expected ? undefined : JSON.stringify(output),
      );
    } catch (error) {
      tally.failed(requestId, error instanceof DomainError ? `${error.reason}: ${error.message}` : String(error));
    }
  }
}

/** Executions that the suite knows beyond those that were started: one more for a key would be a start that happened twice. */
async function countDuplicates(): Promise<number> {
  const keys = new Set<string>();
  let listed = 0;
  for await (const { requestId } of client.list({ workflowId: WORKFLOW })) {
    listed += 1;
    keys.add(requestId);
  }
  return listed - keys.size;
}
