import { type CliConfig, type ExitCode, Interruption, type OutputStream, runCli } from "../src/index.ts";

export interface HeddleRun {
  exitCode: Promise<ExitCode>;
  stdout(): string;
  stderr(): string;
  interrupt(by?: "SIGINT" | "SIGTERM"): void;
  /** Resolves when stdout or stderr has this text. */
  saw(text: string): Promise<void>;
}

/** Runs the command in this process, with streams in memory. */
export function startHeddle(
  argv: readonly string[],
  options: { address?: string; stdin?: string; stdout?: OutputStream; stderr?: OutputStream } = {},
): HeddleRun {
  const written = { stdout: "", stderr: "" };
  const interrupt = new AbortController();
  let onWrite = (): void => {};
  const capture = (name: "stdout" | "stderr"): OutputStream => ({
    write(text) {
      written[name] += text;
      onWrite();
    },
  });
  const config: CliConfig = {
    address: options.address ?? "http://127.0.0.1:1",
    namespace: "default",
    color: false,
    live: true,
    unicode: true,
  };
  const exitCode = runCli({
    argv,
    config,
    io: {
      stdout: options.stdout ?? capture("stdout"),
      stderr: options.stderr ?? capture("stderr"),
      readStdin: async () => options.stdin ?? "",
      signal: interrupt.signal,
    },
  });
  return {
    exitCode,
    stdout: () => written.stdout,
    stderr: () => written.stderr,
    interrupt: (by = "SIGINT") => interrupt.abort(new Interruption(by)),
    saw: (text) =>
      new Promise((resolve) => {
        onWrite = () => {
          if ((written.stdout + written.stderr).includes(text)) resolve();
        };
        onWrite();
      }),
  };
}

/** Runs the command to its end. */
export async function heddle(
  argv: readonly string[],
  options: Parameters<typeof startHeddle>[1] = {},
): Promise<{ exitCode: ExitCode; stdout: string; stderr: string }> {
  const run = startHeddle(argv, options);
  const exitCode = await run.exitCode;
  return { exitCode, stdout: run.stdout(), stderr: run.stderr() };
}
