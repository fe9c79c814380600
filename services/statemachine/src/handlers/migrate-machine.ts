import { create } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import {
  type MigrateMachineRequest,
  type MigrateMachineResponse,
  MigrateMachineResponseSchema,
} from "@heddle/proto/heddle/statemachine/v1/statemachine_service_pb.js";
import { type Chart, planMigration } from "@heddle/statechart";
import { describeChanged, describeMachine, idOf, type MachineContext, readMachine } from "./context.ts";

export async function migrateMachine(
  context: MachineContext,
  request: MigrateMachineRequest,
  call: HandlerContext,
): Promise<MigrateMachineResponse> {
  const { runtime, charts } = context;
  const { version, dryRun } = request;
  const mapping = { ...request.stateMapping };
  const id = idOf(request);
  const { namespace, workflowId } = (await readMachine(context, id)).state;
  const { plan: chart } = await charts.resolve({ namespace, workflowId, version });
  // The plan is made of the same state that the command is decided on, or of one that an event before it has left behind:
  // what is told about a migration is told again in its event.
  const machine = await readMachine(context, id);
  const { obstacles, configuration, canceledTimers, canceledInvocations } = planMigration(
    machine.chart,
    machine.state,
    chart,
    mapping,
  );
  if (!dryRun) await runtime.submit(id, { type: "migrate", version, chart, mapping });
  return create(MigrateMachineResponseSchema, {
    machine: dryRun ? await describeMachine(context, id) : await describeChanged(context, id, call),
    obstacles: dryRun ? obstacles : [],
    configuration: configuration.filter((name) => isAtomic(chart, name)),
    canceledTimers,
    canceledInvocations,
  });
}

function isAtomic(chart: Chart, name: string): boolean {
  const state = chart.states[chart.indices.get(name) ?? -1];
  return state?.kind === "atomic" || state?.kind === "final";
}
