import { durationFromMs, durationMs, timestampFromMs, timestampMs, type Timestamp } from "@bufbuild/protobuf/wkt";
import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  OverlapPolicy,
  type Schedule,
  ScheduleSchema,
} from "@heddle/proto/heddle/scheduler/v1/scheduler_service_pb.js";
import { CliError } from "../cli-error.ts";
import type { CommandContext } from "../context.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { readJsonObject } from "../json-input.ts";
import { pageSize } from "../limits.ts";
import { messageJson } from "../message-json.ts";
import { formatDuration } from "../render/duration.ts";
import { renderTable } from "../render/table.ts";
import { oneLine } from "../render/text-width.ts";

export interface CreateOptions {
  workflow: string;
  cron?: string;
  every?: number;
  at?: number;
  timeZone?: string;
  offset?: number;
  jitter?: number;
  startAt?: number;
  endAt?: number;
  maxStarts?: number;
  overlap?: string;
  catchUp?: number;
  input?: string;
  paused?: boolean;
  requestId?: string;
}

/** Creates a schedule; the server says everything that is wrong with it at once. */
export async function create(context: CommandContext, scheduleId: string, options: CreateOptions): Promise<ExitCode> {
  const { scheduler } = await context.client();
  const request = {
    requestId: options.requestId,
    schedule: {
      namespace: context.namespace,
      scheduleId,
      workflowId: options.workflow,
      ...timesOf(options),
      input: options.input === undefined ? undefined : await readJsonObject(options.input, "--input", context.io),
      overlap: overlapOf(options.overlap),
      maxStarts: BigInt(options.maxStarts ?? 0),
      paused: options.paused,
      ...(options.catchUp && { catchUpWindow: durationFromMs(options.catchUp) }),
      ...(options.jitter && { jitter: durationFromMs(options.jitter) }),
      ...(options.startAt && { startAt: timestampFromMs(options.startAt) }),
      ...(options.endAt && { endAt: timestampFromMs(options.endAt) }),
    },
  };
  return show(context, (await scheduler.createSchedule(request, { signal: context.io.signal })).schedule);
}

export async function get(context: CommandContext, scheduleId: string): Promise<ExitCode> {
  const { scheduler } = await context.client();
  const request = { namespace: context.namespace, scheduleId };
  return show(context, (await scheduler.getSchedule(request, { signal: context.io.signal })).schedule);
}

/** Lists the schedules of the namespace, those that definitions declare included. */
export async function list(context: CommandContext): Promise<ExitCode> {
  const schedules = await readSchedules(context);
  if (context.json) {
    context.printJson({ schedules: schedules.map((schedule) => messageJson(ScheduleSchema, schedule)) });
    return EXIT.ok;
  }
  if (schedules.length === 0) {
    context.say(`no schedule in namespace ${context.namespace}`);
    return EXIT.ok;
  }
  const style = context.style(context.io.stdout);
  const lines = renderTable<Schedule>(
    schedules,
    [
      { title: "SCHEDULE", cell: ({ scheduleId }) => oneLine(scheduleId) },
      { title: "WORKFLOW", cell: ({ workflowId }) => oneLine(workflowId) },
      { title: "TIMES", cell: (schedule) => oneLine(timesText(schedule)) },
      { title: "NEXT", cell: (schedule) => (schedule.paused ? "paused" : timeText(schedule.nextTimes[0], "-")) },
      { title: "STARTED", cell: ({ progress }) => String(progress?.started ?? 0), align: "right" },
      { title: "SKIPPED", cell: ({ progress }) => String(progress?.skipped ?? 0), align: "right" },
      { title: "FAILED", cell: ({ progress }) => String(progress?.failed ?? 0), align: "right" },
    ],
    style.dim,
  );
  for (const line of lines) context.print(line);
  return EXIT.ok;
}

export async function pause(context: CommandContext, scheduleId: string): Promise<ExitCode> {
  return setPaused(context, scheduleId, true);
}

export async function resume(context: CommandContext, scheduleId: string): Promise<ExitCode> {
  return setPaused(context, scheduleId, false);
}

/** The executions that it started go on. */
export async function remove(context: CommandContext, scheduleId: string): Promise<ExitCode> {
  const { scheduler } = await context.client();
  await scheduler.deleteSchedule({ namespace: context.namespace, scheduleId }, { signal: context.io.signal });
  if (context.json) context.printJson({ scheduleId, deleted: true });
  else context.print(`${scheduleId}  deleted`);
  return EXIT.ok;
}

async function setPaused(context: CommandContext, scheduleId: string, paused: boolean): Promise<ExitCode> {
  const { scheduler } = await context.client();
  const request = { namespace: context.namespace, scheduleId, paused };
  return show(context, (await scheduler.pauseSchedule(request, { signal: context.io.signal })).schedule);
}

async function readSchedules({ client, io, namespace }: CommandContext): Promise<Schedule[]> {
  const { scheduler } = await client();
  const found: Schedule[] = [];
  let pageToken = "";
  do {
    const page = await scheduler.listSchedules({ namespace, pageSize, pageToken }, { signal: io.signal });
    found.push(...page.schedules);
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
  return found;
}

type Times = Pick<MessageInitShape<typeof ScheduleSchema>, "spec" | "timeZone" | "offset">;

function timesOf({ cron, every, at, timeZone, offset }: CreateOptions): Times {
  if ([cron, every, at].filter((form) => form !== undefined).length !== 1) {
    throw new CliError("give one of --cron, --every and --at", { hint: 'e.g. --cron "0 2 * * *" or --every 15m' });
  }
  const rest = { timeZone, ...(offset && { offset: durationFromMs(offset) }) };
  if (cron !== undefined) return { spec: { case: "cron", value: cron }, ...rest };
  if (every !== undefined) return { spec: { case: "interval", value: durationFromMs(every) }, ...rest };
  return { spec: { case: "at", value: timestampFromMs(at ?? 0) }, ...rest };
}

function overlapOf(name: string | undefined): OverlapPolicy {
  const key = name?.toUpperCase() as keyof typeof OverlapPolicy | undefined;
  return key === undefined ? OverlapPolicy.UNSPECIFIED : OverlapPolicy[key];
}

/** One schedule with what became of it, a line each. */
function show(context: CommandContext, schedule: Schedule | undefined): ExitCode {
  if (schedule === undefined) throw new Error("the server answered without a schedule");
  if (context.json) {
    context.printJson(messageJson(ScheduleSchema, schedule));
    return EXIT.ok;
  }
  const { scheduleId, workflowId, overlap, paused, declaredBy, nextTimes, progress } = schedule;
  const lines: [name: string, value: string][] = [
    ["schedule", paused ? `${scheduleId} (paused)` : scheduleId],
    ["workflow", workflowId],
    ["times", timesText(schedule)],
    ["overlap", (OverlapPolicy[overlap] ?? "unknown").toLowerCase()],
    [
      "next",
      nextTimes
        .slice(0, 3)
        .map((time) => timeText(time, ""))
        .join(", "),
    ],
    ["declared by", declaredBy],
    [
      "starts",
      `${progress?.started ?? 0n} started, ${progress?.skipped ?? 0n} skipped, ${progress?.failed ?? 0n} failed`,
    ],
    ["last", progress?.lastExecutionId ?? ""],
    ["running", progress?.runningExecutionIds.join(", ") ?? ""],
    ["waits", timeText(progress?.bufferedDueAt, "")],
    ["problem", progress?.lastProblem ?? ""],
  ];
  const style = context.style(context.io.stdout);
  for (const [name, value] of lines) if (value !== "") context.print(`${style.dim(name.padEnd(12))}${oneLine(value)}`);
  return EXIT.ok;
}

function timesText({ spec, timeZone, offset, jitter }: Schedule): string {
  const later = jitter === undefined ? "" : `, up to ${formatDuration(durationMs(jitter))} later`;
  switch (spec.case) {
    case "cron":
      return `${spec.value} ${timeZone}${later}`;
    case "interval": {
      const from = offset === undefined ? "" : ` from ${formatDuration(durationMs(offset))}`;
      return `every ${formatDuration(durationMs(spec.value))}${from}${later}`;
    }
    case "at":
      return `once, ${timeText(spec.value, "")}${later}`;
    case undefined:
      return "unknown";
  }
}

function timeText(time: Timestamp | undefined, otherwise: string): string {
  return time === undefined ? otherwise : new Date(timestampMs(time)).toISOString().replace(/\.\d+Z$/, "Z");
}
