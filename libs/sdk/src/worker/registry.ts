import { TaskType } from "@heddle/proto/heddle/scheduler/v1/task_pb.js";
import type { Capability } from "@heddle/proto/heddle/worker/v1/worker_service_pb.js";
import type { HandlerDefinition, Handlers, TaskHandler } from "./handler.ts";
import { compileInputSchema, type CheckInput } from "./input-validator.ts";

/** A handler with what the worker keeps about it. */
export interface RegisteredHandler {
  readonly type: TaskType;
  readonly name: string;
  readonly run: TaskHandler;
  readonly checkInput: CheckInput | undefined;
  readonly maxConcurrent: number;
  readonly definition: HandlerDefinition;
  /** Tasks that it has begun and not ended. */
  running: number;
}

/** What a worker offers. */
export interface Registry {
  find(type: TaskType, name: string): RegisteredHandler | undefined;
  capabilities(): Capability[];
}

const NAME_MAX_CHARS = 128;
const WILDCARD = "*";

/** @throws TypeError that names the handler, for names, schemas and limits that cannot work */
export function createRegistry(tools: Handlers, agents: Handlers): Registry {
  const byType = new Map([
    [TaskType.TOOL, register(TaskType.TOOL, tools)],
    [TaskType.AGENT, register(TaskType.AGENT, agents)],
  ]);
  const all = [...byType.values()].flatMap((handlers) => [...handlers.values()]);
  if (all.length === 0) throw new TypeError("a worker without handlers runs nothing: give `handlers` or `agents`");
  return {
    find(type, name) {
      const handlers = byType.get(type);
      return handlers?.get(name) ?? handlers?.get(WILDCARD);
    },
    capabilities: () => all.map(capabilityOf),
  };
}

function register(type: TaskType, handlers: Handlers): Map<string, RegisteredHandler> {
  return new Map(
    Object.entries(handlers).map(([name, given]) => {
      const definition = typeof given === "function" ? { handler: given } : given;
      checkDefinition(name, definition);
      return [
        name,
        {
          type,
          name,
          run: definition.handler,
          checkInput: definition.inputSchema && compileInputSchema(name, definition.inputSchema),
          maxConcurrent: definition.maxConcurrent ?? Number.POSITIVE_INFINITY,
          definition,
          running: 0,
        },
      ];
    }),
  );
}

function checkDefinition(name: string, { handler, maxConcurrent, description = "" }: HandlerDefinition): void {
  if (name === "" || name.length > NAME_MAX_CHARS) {
    throw new TypeError(`the handler name "${name}" must have 1 to ${NAME_MAX_CHARS} characters`);
  }
  if (typeof handler !== "function") {
    throw new TypeError(`handler "${name}" must be a function, or an object with a function \`handler\``);
  }
  if (maxConcurrent !== undefined && !(Number.isInteger(maxConcurrent) && maxConcurrent >= 1)) {
    throw new TypeError(`maxConcurrent of "${name}" must be an integer from 1, not ${maxConcurrent}`);
  }
  if (description.length > 4096) throw new TypeError(`the description of "${name}" is longer than 4096 characters`);
}

function capabilityOf({ type, name, definition, maxConcurrent }: RegisteredHandler): Capability {
  const { inputSchema, description = "" } = definition;
  return {
    $typeName: "heddle.worker.v1.Capability",
    type,
    name,
    description,
    maxConcurrent: Number.isFinite(maxConcurrent) ? maxConcurrent : 0,
    ...(inputSchema && {
      inputSchema: {
        $typeName: "heddle.common.v1.Payload",
        form: { case: "json", value: JSON.stringify(inputSchema) },
      },
    }),
  };
}
