import { readFile } from "node:fs/promises";
import { formatDuration, oneLine, truncate } from "@heddle/cli";
import { type Example, runExample } from "@heddle/example-starter";
import type { Client, ExecutionEvent, JsonObject } from "@heddle/sdk";
import { prepareAgentsFile } from "./agents-file.ts";
import { type BoardRow, renderBoard } from "./board.ts";
import { startCrm } from "./crm.ts";

interface Ticket {
  id: string;
  customer_id: string;
  subject: string;
  body: string;
}

/** `output` of support.yaml. */
interface Answer {
  ticket: string;
  outcome: "answered" | "asked" | "escalated" | "closed";
  category: string;
  language: string;
  mood: string;
  customer: string;
  tier: string;
  reply: string;
}

/** Tickets in work at the same time. */
const CONCURRENCY = 12;
const FRAME_MS = 80;

const tickets = JSON.parse(await readFile(new URL("data/tickets.json", import.meta.url), "utf8")) as Ticket[];
const crm = await startCrm();
const agents = await prepareAgentsFile(process.env);

try {
  await runExample(work, { env: { HEDDLE_HTTP_ALLOW: crm.allow, HEDDLE_AGENTS_FILE: agents.path } });
} finally {
  await Promise.all([crm.close(), agents.remove()]);
}

async function work({ client, output, publish, signal }: Example): Promise<void> {
  await publish(new URL("support.yaml", import.meta.url));
  const { style } = output;
  output.print(
    `${style.bold(`${tickets.length} support tickets`)}, ${CONCURRENCY} at a time, answered by ${agents.model}`,
  );
  output.print();

  const rows = tickets.map(
    ({ id, subject }): BoardRow => ({ id, subject, active: new Set(), completed: new Set(), retries: 0 }),
  );
  const startedAt = performance.now();
  const live = output.createLive();
  let frame = 0;
  const paint = (): void => {
    if (live === undefined) return;
    live.paint(
      renderBoard(rows, { style, size: live.size(), frame: frame++, elapsedMs: performance.now() - startedAt }),
    );
  };
  const timer = live && setInterval(paint, FRAME_MS);
  const answers: Answer[] = [];
  try {
    await eachConcurrently(tickets, CONCURRENCY, async (ticket, index) => {
      const row = rows[index] as BoardRow;
      const answer = await handle(client, ticket, row, signal);
      answers.push(answer);
      row.outcome = answer.outcome;
      if (live === undefined) output.print(`${answer.ticket}  ${answer.outcome.padEnd(9)}  ${oneLine(ticket.subject)}`);
    });
  } finally {
    clearInterval(timer);
    paint();
    live?.end();
  }
  answers.sort((a, b) => (a.ticket < b.ticket ? -1 : 1));
  printAnswers(answers, output, performance.now() - startedAt);
  output.result(answers);
}

/** Runs the workflow for one ticket and follows it. */
async function handle(client: Client, ticket: Ticket, row: BoardRow, signal: AbortSignal): Promise<Answer> {
  const input: JsonObject = { crm: crm.url, ticket: { ...ticket } };
  const { executionId } = await client.start(
    { workflowId: "customer-support", input, labels: { ticket: ticket.id } },
    { signal },
  );
  for await (const event of client.watch(executionId, { signal })) note(row, event);
  return (await client.result(executionId, { signal })) as unknown as Answer;
}

function note(row: BoardRow, event: ExecutionEvent): void {
  switch (event.type) {
    case "task_scheduled":
      row.active.add(event.nodeId);
      break;
    case "task_failed":
      row.retries += 1;
      break;
    case "task_completed":
    case "node_completed":
      row.active.delete(event.nodeId);
      row.completed.add(event.nodeId);
      break;
    default:
      break;
  }
}

function printAnswers(answers: readonly Answer[], output: Example["output"], elapsedMs: number): void {
  const { style } = output;
  const paint = { answered: style.green, asked: style.cyan, escalated: style.red, closed: style.dim };
  // What the columns before take; the reply gets the rest.
  const replyColumns = Math.max(20, output.columns - 78);
  output.print();
  output.table(answers, [
    { title: "TICKET", cell: ({ ticket }) => ticket },
    { title: "CUSTOMER", cell: ({ customer }) => truncate(oneLine(customer) || style.dim("unknown"), 18) },
    { title: "TIER", cell: ({ tier }) => (tier === "vip" ? style.yellow(tier) : tier) },
    { title: "CATEGORY", cell: ({ category }) => category },
    { title: "LANG", cell: ({ language }) => language },
    { title: "MOOD", cell: ({ mood }) => (mood === "angry" ? style.red(mood) : mood) },
    { title: "OUTCOME", cell: ({ outcome }) => paint[outcome](outcome) },
    { title: "REPLY", cell: ({ reply }) => truncate(oneLine(reply), replyColumns) },
  ]);
  const count = (wanted: Answer["outcome"]): number => answers.filter(({ outcome }) => outcome === wanted).length;
  output.print();
  output.print(
    `${style.bold(`${answers.length} tickets in ${formatDuration(elapsedMs)}`)}: ${count("answered")} answered, ${count("asked")} asked back, ${count("escalated")} escalated, ${count("closed")} closed as spam`,
  );
}

/** Works on the items in order, so many at a time; stops at the first failure. */
async function eachConcurrently<T>(
  items: readonly T[],
  limit: number,
  work: (item: T, index: number) => Promise<void>,
): Promise<void> {
  const entries = items.entries();
  await Promise.all(
    Array.from({ length: limit }, async () => {
      for (const [index, item] of entries) await work(item, index);
    }),
  );
}
