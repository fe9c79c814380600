import { EXIT, type ExitCode } from "./exit-codes.ts";

/** Something that the person at the terminal can put right: said without a stack. */
export class CliError extends Error {
  readonly exitCode: ExitCode;
  /** For programs, in the style of the services' reasons. */
  readonly reason: string;
  /** What to do about it. */
  readonly hint: string | undefined;

  constructor(message: string, options: { exitCode?: ExitCode; reason?: string; hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "CliError";
    this.exitCode = options.exitCode ?? EXIT.invalid;
    this.reason = options.reason ?? "USAGE";
    this.hint = options.hint;
  }
}
