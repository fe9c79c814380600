import { cutText, type Field, type Json } from "@heddle/engine";
import type { Scope } from "@heddle/expression";
import { MAX_LOG_MESSAGE_LENGTH } from "./limits.ts";
import type { Turn } from "./turn.ts";

/** Something of the chart went wrong: it becomes an `error.*` event inside of the machine, never an error of the caller. */
export class ChartFault extends Error {
  readonly path: string;
  readonly event: "error.execution" | "error.communication";

  constructor(path: string, message: string, event: ChartFault["event"] = "error.execution") {
    super(message);
    this.name = "ChartFault";
    this.path = path;
    this.event = event;
  }
}

/** The macrostep cannot come to an end: the machine fails, and nothing of the macrostep happens. */
export class EndlessMacrostep extends Error {
  readonly type: "livelock" | "limit";

  constructor(type: EndlessMacrostep["type"], message: string) {
    super(message);
    this.name = "EndlessMacrostep";
    this.type = type;
  }
}

/** @throws ChartFault that names the field and the expression */
export function evaluate(field: Field, scope: Scope): Json {
  try {
    return field.evaluate(scope);
  } catch (error) {
    const { path, source } = field.findFault(scope) ?? { path: field.path, source: "" };
    const hint = error instanceof Error && "hint" in error && typeof error.hint === "string" ? `; ${error.hint}` : "";
    const message = error instanceof Error ? error.message : String(error);
    throw new ChartFault(path, `${message}${hint} (in \`${cutText(source, 256)}\`)`);
  }
}

/** SCXML 5.12: writes the error into the history and raises its event. */
export function raiseFault(turn: Turn, raise: (name: string, data: Json) => void, fault: unknown): void {
  if (!(fault instanceof ChartFault)) throw fault;
  const message = cutText(fault.message, MAX_LOG_MESSAGE_LENGTH);
  turn.step.effects.push({ type: "error", path: fault.path, message });
  raise(fault.event, { message, path: fault.path });
}
