import { DomainError, type ErrorKind } from "@heddle/errors";
import { CliError } from "./cli-error.ts";
import type { CommandContext } from "./context.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import { Interruption } from "./io.ts";
import { formatDuration } from "./render/duration.ts";

const EXIT_OF_KIND: Readonly<Record<ErrorKind, ExitCode>> = {
  invalid_argument: EXIT.invalid,
  out_of_range: EXIT.invalid,
  not_found: EXIT.notFound,
  already_exists: EXIT.refused,
  failed_precondition: EXIT.refused,
  aborted: EXIT.refused,
  permission_denied: EXIT.refused,
  unauthenticated: EXIT.refused,
  unimplemented: EXIT.refused,
  resource_exhausted: EXIT.unavailable,
  unavailable: EXIT.unavailable,
  deadline_exceeded: EXIT.timeout,
};

/** What to do about a reason, where the message of the server cannot know it. */
const HINTS: Readonly<Record<string, string>> = {
  EXECUTION_NOT_FOUND: "`heddle list` shows the executions of a namespace",
  DEFINITION_NOT_FOUND:
    "publish it first: `heddle publish workflow.yaml`, or run the file itself: `heddle run workflow.yaml`",
  MACHINE_NOT_FOUND: "`heddle machine list` shows the machines of a namespace",
  NOT_A_STATE_MACHINE: "`heddle run` starts workflows of nodes",
  KEY_EXISTS: "`heddle machine get <workflow>/<key>` shows the machine that has the key",
  MIGRATION_IMPOSSIBLE:
    "`--dry-run` lists what is in the way, `--state old=new` says which state takes the place of one",
  MACHINE_FINISHED: "`heddle machine get` shows how it ended",
  EXECUTION_FINISHED: "`heddle get` shows how it ended",
  EXECUTION_NOT_SUSPENDED: "`heddle get` shows where it stands",
};

/** What went wrong, for a person and for a program. */
interface Report {
  kind: string;
  reason: string;
  message: string;
  hint?: string;
  metadata?: Record<string, string>;
  violations?: { field: string; description: string }[];
}

/** Says what went wrong on stderr and gives the exit code. Nothing is said of an interruption: the person knows. */
export function reportError(
  error: unknown,
  context: Pick<CommandContext, "io" | "json" | "address" | "style">,
): ExitCode {
  const interruption = findInterruption(error, context.io.signal);
  if (interruption !== undefined) return interruption.by === "SIGINT" ? EXIT.interrupted : EXIT.terminated;
  const { report, exitCode } = explain(error, context.address);
  const { stderr } = context.io;
  if (context.json) {
    stderr.write(`${JSON.stringify({ error: report }, undefined, 2)}\n`);
    return exitCode;
  }
  const style = context.style(stderr);
  stderr.write(`${style.red("error:")} ${report.message} ${style.dim(`(${report.reason})`)}\n`);
  for (const { field, description } of report.violations ?? [])
    stderr.write(`  ${style.bold(field)}: ${description}\n`);
  if (report.hint !== undefined) stderr.write(`${style.cyan("hint:")} ${report.hint}\n`);
  if (exitCode === EXIT.internal && error instanceof Error) stderr.write(`${style.dim(error.stack ?? "")}\n`);
  return exitCode;
}

/** A call that was under way when the person interrupted fails as canceled: what counts is the interruption. */
function findInterruption(error: unknown, signal: AbortSignal): Interruption | undefined {
  if (error instanceof Interruption) return error;
  return signal.aborted && signal.reason instanceof Interruption ? signal.reason : undefined;
}

function explain(error: unknown, address: string): { report: Report; exitCode: ExitCode } {
  if (error instanceof CliError) {
    const { message, reason, hint, exitCode } = error;
    return { report: { kind: "cli", reason, message, hint }, exitCode };
  }
  if (error instanceof DomainError) {
    const { kind, reason, metadata, violations } = error;
    const message = isUnreachable(error) ? `no server answers at ${address}` : error.message;
    const report: Report = { kind, reason, message, metadata, violations, hint: hintFor(error) };
    return { report, exitCode: EXIT_OF_KIND[kind] };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { report: { kind: "internal", reason: "INTERNAL", message }, exitCode: EXIT.internal };
}

function hintFor(error: DomainError): string | undefined {
  const known = HINTS[error.reason];
  if (known !== undefined) return known;
  if (error.retryAfterMs !== undefined) return `try again in ${formatDuration(error.retryAfterMs)}`;
  if (!isUnreachable(error)) return undefined;
  return "`heddle dev` starts one here; --address or HEDDLE_ADDRESS names another";
}

/** A server gives a reason of its own: without one nobody answered at all. */
function isUnreachable({ kind, reason, metadata }: DomainError): boolean {
  return kind === "unavailable" && reason === "UNAVAILABLE" && metadata["tls"] === undefined;
}
