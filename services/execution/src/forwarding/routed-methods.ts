import type { ServiceImpl } from "@connectrpc/connect";
import { isId } from "@heddle/journal";
import { ExecutionService } from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import type { StartExecutionRequest } from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import type { OwnerRouter } from "@heddle/rpc";
import { cancelExecution } from "../handlers/cancel-execution.ts";
import { type ExecutionContext, idOf, namespaceOf } from "../handlers/context.ts";
import { deleteExecution } from "../handlers/delete-execution.ts";
import { deliverEvent } from "../handlers/deliver-event.ts";
import { getExecution } from "../handlers/get-execution.ts";
import { getPayload } from "../handlers/get-payload.ts";
import { listExecutions } from "../handlers/list-executions.ts";
import { listIncidents } from "../incidents/list-incidents.ts";
import { listHistory } from "../handlers/list-history.ts";
import { reportMachine } from "../handlers/report-machine.ts";
import { resolveIncident } from "../handlers/resolve-incident.ts";
import { rerunExecution } from "../handlers/rerun-execution.ts";
import { resetExecution } from "../handlers/reset-execution.ts";
import { resumeExecution } from "../handlers/resume-execution.ts";
import { signalExecution } from "../handlers/signal-execution.ts";
import { publishEvent } from "../handlers/publish-event.ts";
import { queryExecution } from "../handlers/query-execution.ts";
import { startExecution } from "../handlers/start-execution.ts";
import { suspendExecution } from "../handlers/suspend-execution.ts";
import { identifyUpdate, updateExecution } from "../handlers/update-execution.ts";
import { partitionOfTarget, type Target } from "../handlers/target.ts";
import { terminateExecution } from "../handlers/terminate-execution.ts";
import { watchExecution } from "../handlers/watch-execution.ts";

const { method } = ExecutionService;

/**
 * The service's methods, each at the owner of what it is about. Lists and payloads need none: every replica has the
 * database.
 */
export function createRoutedMethods(context: ExecutionContext, router: OwnerRouter) {
  const { runtime } = context;

  const ofExecution = (request: { executionId: string }): number | undefined => {
    const id = idOf(request);
    return isId(id) ? runtime.partitionOf(id) : undefined;
  };
  const ofTarget = (request: Target): number | undefined => partitionOfTarget(context, request);
  /** A start without a key may run anywhere: here, as long as this process owns anything. */
  const ofStart = (request: StartExecutionRequest): number => {
    const key = request.workflowKey || request.requestId;
    return key === "" ? runtime.partitionOf(runtime.newId()) : runtime.partitionOfKey(namespaceOf(request), key);
  };
  /** Without a key a repetition would be another one, whatever the method's level says. */
  const hasKey = (request: { requestId: string }): boolean => request.requestId !== "";

  const update = router.unary(method.updateExecution, {
    partitionOf: ofTarget,
    handle: (request, call) => updateExecution(context, request, call),
    isRepeatable: hasKey,
  });

  return {
    startExecution: router.unary(method.startExecution, {
      partitionOf: ofStart,
      handle: (request, call) => startExecution(context, request, call),
      isRepeatable: hasKey,
    }),
    getExecution: router.unary(method.getExecution, {
      partitionOf: ofTarget,
      handle: (request) => getExecution(context, request),
    }),
    listExecutions: (request) => listExecutions(context, request),
    watchExecution: router.stream(method.watchExecution, {
      partitionOf: ofExecution,
      handle: (request, call) => watchExecution(context, request, call),
      resume: (request, { events }) => ({ ...request, afterSeq: events.at(-1)?.seq ?? request.afterSeq }),
    }),
    listHistory: router.unary(method.listHistory, {
      partitionOf: ofExecution,
      handle: (request) => listHistory(context, request),
    }),
    cancelExecution: router.unary(method.cancelExecution, {
      partitionOf: ofTarget,
      handle: (request, call) => cancelExecution(context, request, call),
    }),
    terminateExecution: router.unary(method.terminateExecution, {
      partitionOf: ofTarget,
      handle: (request, call) => terminateExecution(context, request, call),
    }),
    listIncidents: (request) => listIncidents(context, request),
    resolveIncident: router.unary(method.resolveIncident, {
      partitionOf: ofExecution,
      handle: (request, call) => resolveIncident(context, request, call),
    }),
    suspendExecution: router.unary(method.suspendExecution, {
      partitionOf: ofTarget,
      handle: (request, call) => suspendExecution(context, request, call),
    }),
    resumeExecution: router.unary(method.resumeExecution, {
      partitionOf: ofTarget,
      handle: (request, call) => resumeExecution(context, request, call),
    }),
    signalExecution: router.unary(method.signalExecution, {
      partitionOf: ofTarget,
      handle: (request, call) => signalExecution(context, request, call),
      isRepeatable: hasKey,
    }),
    rerunExecution: router.unary(method.rerunExecution, {
      partitionOf: ofExecution,
      handle: (request, call) => rerunExecution(context, request, call),
      isRepeatable: (request) => request.dryRun || hasKey(request),
    }),
    resetExecution: router.unary(method.resetExecution, {
      partitionOf: ofExecution,
      handle: (request, call) => resetExecution(context, request, call),
      isRepeatable: (request) => request.dryRun || hasKey(request),
    }),
    updateExecution: (request, call) => update(identifyUpdate(request), call),
    queryExecution: router.unary(method.queryExecution, {
      partitionOf: ofTarget,
      handle: (request) => queryExecution(context, request),
    }),
    deleteExecution: router.unary(method.deleteExecution, {
      partitionOf: ofExecution,
      handle: (request) => deleteExecution(context, request),
    }),
    publishEvent: (request) => publishEvent(context, request),
    deliverEvent: router.unary(method.deliverEvent, {
      partitionOf: ofExecution,
      handle: (request) => deliverEvent(context, request),
    }),
    reportMachine: router.unary(method.reportMachine, {
      partitionOf: ofExecution,
      handle: (request) => reportMachine(context, request),
    }),
    getPayload: (request) => getPayload(context, request),
  } satisfies Partial<ServiceImpl<typeof ExecutionService>>;
}
