import {
  TaskError,
  type HandlerDefinition,
  type Handlers,
  type Json,
  type JsonObject,
  type TaskContext,
} from "@heddle/sdk";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { AGENT_TOOL_RESULT_MAX_CHARS } from "../limits.ts";
import type { ModelTool, ToolCall, ToolResult } from "../providers/model-provider.ts";

/** The tools that agents may use: those that this worker runs as tasks too. */
export interface Toolbox {
  /** @throws TaskError `agent_invalid` that lists the tools, not retryable */
  open(agentName: string, names: readonly string[]): ToolSet;
}

/** The tools of one agent. */
export interface ToolSet {
  specs: readonly ModelTool[];
  /** Runs a call. Whatever goes wrong is an answer for the model; only an end of the task itself is thrown. */
  run(call: ToolCall, key: string, context: TaskContext): Promise<ToolResult>;
}

interface Tool {
  definition: HandlerDefinition;
  validate: ValidateFunction | undefined;
}

export function createToolbox(handlers: Handlers): Toolbox {
  const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
  const tools = new Map<string, Tool>(
    Object.entries(handlers).map(([name, given]) => {
      const definition = typeof given === "function" ? { handler: given } : given;
      return [name, { definition, validate: definition.inputSchema && ajv.compile(definition.inputSchema) }];
    }),
  );

  return {
    open(agentName, names) {
      const chosen = new Map<string, Tool>();
      const specs = names.map((name) => {
        const tool = tools.get(name);
        if (tool === undefined) {
          throw new TaskError(
            "agent_invalid",
            `the agent "${agentName}" asks for the tool "${name}", which this worker does not have; it has ${[...tools.keys()].join(", ")}`,
            { retryable: false },
          );
        }
        const spec = specOf(name, tool.definition);
        chosen.set(spec.name, tool);
        return spec;
      });
      return { specs, run: (call, key, context) => runCall(chosen, call, key, context) };
    },
  };
}

async function runCall(
  tools: Map<string, Tool>,
  call: ToolCall,
  key: string,
  context: TaskContext,
): Promise<ToolResult> {
  const tool = tools.get(call.name);
  if (tool === undefined)
    return errorResult(call, `there is no tool "${call.name}"; there are ${[...tools.keys()].join(", ")}`);
  const { arguments: given } = call;
  if (given === undefined) return errorResult(call, "the arguments are not JSON");
  if (tool.validate !== undefined && !tool.validate(given)) {
    const faults = (tool.validate.errors ?? [])
      .slice(0, 5)
      .map(({ instancePath, message }) => `${instancePath || "the arguments"} ${message ?? "is wrong"}`);
    return errorResult(call, `the arguments do not fit: ${faults.join("; ")}`);
  }
  try {
    const value = ((await tool.definition.handler(given, callContext(context, key, call.name))) ?? null) as Json;
    return { callId: call.id, name: call.name, value, text: shorten(textOf(value)), isError: false };
  } catch (error) {
    context.signal.throwIfAborted();
    const type = error instanceof TaskError ? `${error.type}: ` : "";
    return errorResult(call, `${type}${error instanceof Error ? error.message : String(error)}`);
  }
}

/** A tool within an agent is not the task: each call has an idempotency key of its own, and the agent's progress stays the agent's. */
function callContext(context: TaskContext, key: string, name: string): TaskContext {
  const { taskId, executionId, nodeId, attempt, workflowId, namespace, traceparent, signal, logger, heartbeat } =
    context;
  return {
    taskId,
    idempotencyKey: key,
    executionId,
    nodeId,
    attempt,
    workflowId,
    namespace,
    name,
    agent: undefined,
    traceparent,
    signal,
    heartbeat: () => heartbeat(),
    logger,
  };
}

function specOf(name: string, { description = "", inputSchema }: HandlerDefinition): ModelTool {
  const parameters: JsonObject = inputSchema ?? { type: "object" };
  return { name: name.replaceAll(/[^a-zA-Z0-9_-]/g, "_").slice(0, 64), description, parameters };
}

function errorResult({ id, name }: ToolCall, message: string): ToolResult {
  return { callId: id, name, value: { error: message }, text: shorten(`error: ${message}`), isError: true };
}

function textOf(value: Json): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function shorten(text: string): string {
  if (text.length <= AGENT_TOOL_RESULT_MAX_CHARS) return text;
  return `${text.slice(0, AGENT_TOOL_RESULT_MAX_CHARS)}\n[cut: ${text.length} characters in all]`;
}
