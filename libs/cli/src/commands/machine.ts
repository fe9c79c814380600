import { fromJson, toJson } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import { type Machine, MachineSchema, MachineStatus } from "@heddle/proto/heddle/statemachine/v1/machine_pb.js";
import {
  MigrateMachineResponseSchema,
  SendEventResponseSchema,
} from "@heddle/proto/heddle/statemachine/v1/statemachine_service_pb.js";
import type { CommandContext } from "../context.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { readJsonObject, readJsonValue } from "../json-input.ts";
import { listDefaultLimit, pageSize } from "../limits.ts";
import { findMachineId, machineName } from "../machine-name.ts";
import { messageJson } from "../message-json.ts";
import { looksLikeFile, publishAndSay } from "../publish-file.ts";
import { formatDuration } from "../render/duration.ts";
import { toMs } from "../render/execution-view.ts";
import { machineStatusText, renderMachine } from "../render/machine-view.ts";
import { renderTable } from "../render/table.ts";
import { oneLine } from "../render/text-width.ts";

export interface CreateOptions {
  key?: string;
  context?: string;
  workflowVersion?: number;
  label?: Record<string, string>;
  requestId?: string;
}

/** Creates a machine by the id of its definition, or publishes a file and creates one of that; prints its id. */
export async function create(context: CommandContext, workflow: string, options: CreateOptions): Promise<ExitCode> {
  const { io, namespace } = context;
  const data = options.context === undefined ? {} : await readJsonObject(options.context, "--context", io);
  const target = looksLikeFile(workflow)
    ? await publishAndSay(context, workflow)
    : { workflowId: workflow, version: options.workflowVersion ?? 0 };
  const { machines } = await context.client();
  const request = { ...target, namespace, key: options.key, context: data, labels: options.label };
  const answer = await machines.createMachine({ ...request, requestId: options.requestId }, { signal: io.signal });
  const machine = present(answer.machine);
  if (context.json) context.printJson(messageJson(MachineSchema, machine));
  else context.print(machine.machineId);
  context.say(
    `${answer.created ? "created" : "it exists"}, ${whereText(machine)}; heddle machine watch ${machine.machineId}`,
  );
  return EXIT.ok;
}

/** Sends an event; the answer comes when everything that it sets off is durable. */
export async function send(
  context: CommandContext,
  name: string,
  event: string,
  options: { data?: string; requestId?: string },
): Promise<ExitCode> {
  const { io } = context;
  const json = options.data === undefined ? null : await readJsonValue(options.data, "--data", io);
  const { machines } = await context.client();
  const request = { ...machineName(context, name), event, data: fromJson(ValueSchema, json) };
  const answer = await machines.sendEvent({ ...request, requestId: options.requestId }, { signal: io.signal });
  if (context.json) {
    context.printJson(messageJson(SendEventResponseSchema, answer));
    return EXIT.ok;
  }
  const machine = present(answer.machine);
  printLine(context, machine);
  if (!answer.handled) context.say(unhandledText(event, machine));
  return EXIT.ok;
}

/** Shows a machine as it is now: states, data, what it waits for, what it has invoked. */
export async function get(context: CommandContext, name: string): Promise<ExitCode> {
  const { machines } = await context.client();
  const machine = present(
    (await machines.getMachine(machineName(context, name), { signal: context.io.signal })).machine,
  );
  if (context.json) {
    context.printJson(messageJson(MachineSchema, machine));
    return EXIT.ok;
  }
  for (const line of renderMachine(machine, { style: context.style(context.io.stdout), nowMs: Date.now() }))
    context.print(line);
  if (machine.output !== undefined) context.printJson(toJson(ValueSchema, machine.output));
  return EXIT.ok;
}

export interface ListOptions {
  workflow?: string;
  status?: MachineStatus;
  state?: string;
  label?: Record<string, string>;
  limit?: number;
}

/** Lists machines, newest first. */
export async function list(context: CommandContext, options: ListOptions): Promise<ExitCode> {
  const limit = options.limit ?? listDefaultLimit;
  const { machines, more } = await readMachines(context, options, limit);
  if (context.json) {
    context.printJson({ machines: machines.map((machine) => messageJson(MachineSchema, machine)), more });
    return EXIT.ok;
  }
  if (machines.length === 0) {
    context.say(`no machine in namespace ${context.namespace} fits`);
    return EXIT.ok;
  }
  const style = context.style(context.io.stdout);
  const now = Date.now();
  const lines = renderTable<Machine>(
    machines,
    [
      { title: "MACHINE", cell: ({ machineId }) => machineId },
      { title: "WORKFLOW", cell: ({ workflowId, version }) => `${oneLine(workflowId)} v${version}` },
      { title: "KEY", cell: ({ key }) => oneLine(key) },
      { title: "STATUS", cell: ({ status }) => machineStatusText(status, style) },
      { title: "STATES", cell: ({ configuration }) => oneLine(configuration.join(", ")) },
      { title: "AGE", cell: ({ createdAt }) => formatDuration(now - (toMs(createdAt) ?? now)), align: "right" },
    ],
    style.dim,
  );
  for (const line of lines) context.print(line);
  if (more) context.say(`there are more: --limit ${limit * 5}`);
  return EXIT.ok;
}

export async function suspend(context: CommandContext, name: string, options: { reason?: string }): Promise<ExitCode> {
  const { machines } = await context.client();
  const request = { machineId: await findMachineId(context, name), reason: options.reason };
  return show(context, (await machines.suspendMachine(request, { signal: context.io.signal })).machine);
}

export async function resume(context: CommandContext, name: string, options: { reason?: string }): Promise<ExitCode> {
  const { machines } = await context.client();
  const request = { machineId: await findMachineId(context, name), reason: options.reason };
  return show(context, (await machines.resumeMachine(request, { signal: context.io.signal })).machine);
}

/** What its states have invoked ends with it. */
export async function remove(context: CommandContext, name: string, options: { reason?: string }): Promise<ExitCode> {
  const { machines } = await context.client();
  const machineId = await findMachineId(context, name);
  await machines.deleteMachine({ machineId, reason: options.reason }, { signal: context.io.signal });
  if (context.json) context.printJson({ machineId, deleted: true });
  else context.print(`${machineId}  deleted`);
  return EXIT.ok;
}

export interface MigrateOptions {
  to: number;
  state?: Record<string, string>;
  dryRun?: boolean;
}

/** Moves a machine to another version, or says what would become of it. */
export async function migrate(context: CommandContext, name: string, options: MigrateOptions): Promise<ExitCode> {
  const { machines } = await context.client();
  const machineId = await findMachineId(context, name);
  const request = { machineId, version: options.to, stateMapping: options.state, dryRun: options.dryRun };
  const answer = await machines.migrateMachine(request, { signal: context.io.signal });
  const { obstacles, configuration, canceledTimers, canceledInvocations } = answer;
  const exitCode = obstacles.length > 0 ? EXIT.refused : EXIT.ok;
  if (context.json) {
    context.printJson(messageJson(MigrateMachineResponseSchema, answer));
    return exitCode;
  }
  for (const obstacle of obstacles) context.say(`in the way: ${oneLine(obstacle)}`);
  if (obstacles.length > 0) {
    context.say(`say which state takes its place: --state <old>=<one of v${options.to}>`);
    return exitCode;
  }
  const verb = options.dryRun ? "would stand" : "stands";
  context.print(`${machineId}  ${verb} in ${oneLine(configuration.join(", "))} of v${options.to}`);
  for (const timer of canceledTimers) context.say(`timer that has no place there: ${oneLine(timer)}`);
  for (const invocation of canceledInvocations)
    context.say(`invocation that has no place there: ${oneLine(invocation)}`);
  return exitCode;
}

async function readMachines(
  context: CommandContext,
  { workflow, status, state, label }: ListOptions,
  limit: number,
): Promise<{ machines: Machine[]; more: boolean }> {
  const client = await context.client();
  const found: Machine[] = [];
  let pageToken = "";
  do {
    const size = Math.min(pageSize, limit - found.length);
    const filter = { namespace: context.namespace, workflowId: workflow, status, state, labels: label };
    const page = await client.machines.listMachines(
      { ...filter, pageSize: size, pageToken },
      { signal: context.io.signal },
    );
    found.push(...page.machines);
    pageToken = page.nextPageToken;
  } while (pageToken !== "" && found.length < limit);
  return { machines: found, more: pageToken !== "" };
}

/** Why an event has changed nothing, and what would. */
function unhandledText(event: string, { status, machineId, enabledEvents }: Machine): string {
  return status === MachineStatus.SUSPENDED
    ? `${event} waits until the machine is resumed: heddle machine resume ${machineId}`
    : `${event} led nowhere for now; from here lead: ${enabledEvents.join(", ") || "none"}`;
}

/** The machine after a change. */
function show(context: CommandContext, answer: Machine | undefined): ExitCode {
  const machine = present(answer);
  if (context.json) context.printJson(messageJson(MachineSchema, machine));
  else printLine(context, machine);
  return EXIT.ok;
}

function printLine(context: CommandContext, machine: Machine): void {
  const status = machineStatusText(machine.status, context.style(context.io.stdout));
  context.print(`${machine.machineId}  ${status}  ${oneLine(machine.configuration.join(", "))}`.trimEnd());
}

function whereText({ configuration }: Machine): string {
  return configuration.length === 0 ? "in no state" : `in ${oneLine(configuration.join(", "))}`;
}

function present(machine: Machine | undefined): Machine {
  if (machine === undefined) throw new Error("the server answered without a machine");
  return machine;
}
