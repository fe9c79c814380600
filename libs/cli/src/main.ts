import { CliError } from "./cli-error.ts";
import { readConfig } from "./config.ts";
import { EXIT } from "./exit-codes.ts";
import { type CliIo, Interruption } from "./io.ts";
import { exitGraceMs } from "./limits.ts";
import { runCli } from "./run-cli.ts";

/** The command `heddle`, with the streams and signals of this process. */
export async function main(): Promise<void> {
  const interrupt = new AbortController();
  for (const by of ["SIGINT", "SIGTERM"] as const) {
    process.on(by, () => {
      // The second time somebody is in a hurry.
      if (interrupt.signal.aborted) process.exit(by === "SIGINT" ? EXIT.interrupted : EXIT.terminated);
      interrupt.abort(new Interruption(by));
    });
  }
  for (const stream of [process.stdout, process.stderr]) {
    // `heddle list | head` closes the pipe early: there is nobody left to write to, and nothing is wrong.
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EPIPE") process.exit(EXIT.ok);
      throw error;
    });
  }
  const io: CliIo = { stdout: process.stdout, stderr: process.stderr, readStdin, signal: interrupt.signal };
  process.exitCode = await runCli({ argv: process.argv.slice(2), io, config: readConfig() });
  // Nothing should be left that keeps the process alive; if something is, the work is done all the same.
  setTimeout(() => process.exit(), exitGraceMs).unref();
}

async function readStdin(maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes)
      throw new CliError(`standard input is larger than ${maxBytes} bytes`, { reason: "INPUT_TOO_LARGE" });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
