import { setTimeout as sleep } from "node:timers/promises";
import { runExample } from "@heddle/example-starter";
import type { Client } from "@heddle/sdk";

interface Announcement {
  night: string;
  report: string;
  text: string;
}

const NIGHTS = 3;

await runExample(async ({ client, output, publish, signal }) => {
  await publish(new URL("announce-report.yaml", import.meta.url));
  // Nobody starts anything from here on: the schedule starts reports, and each report that is done lets one be announced.
  await publish(new URL("nightly-report.yaml", import.meta.url));
  const announcements: Announcement[] = [];
  try {
    for await (const announcement of followAnnouncements(client, new Date(), signal)) {
      announcements.push(announcement);
      output.print(`${announcement.night}  ${announcement.text}`);
      if (announcements.length === NIGHTS) break;
    }
    const schedule = await client.getSchedule("nightly-report/every-night");
    output.print();
    output.print(
      output.style.dim(`${schedule.started} started, next ${schedule.nextTimes[0]?.toISOString() ?? "never"}`),
    );
  } finally {
    // Else it would go on every two seconds in every process that is started on this data.
    await client.deleteDefinition("nightly-report");
    await client.deleteDefinition("announce-report");
  }
  output.result(announcements);
});

/** What was announced since, as it comes, the oldest first. */
async function* followAnnouncements(client: Client, since: Date, signal: AbortSignal): AsyncGenerator<Announcement> {
  const seen = new Set<string>();
  for (;;) {
    const page = await client.listPage({ workflowId: "announce-report", status: "completed", startedAfter: since });
    for (const { executionId } of page.items.toReversed()) {
      if (seen.has(executionId)) continue;
      seen.add(executionId);
      yield (await client.result(executionId, { signal })) as unknown as Announcement;
    }
    await sleep(200, undefined, { signal });
  }
}
