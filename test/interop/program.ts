import { execFile } from "node:child_process";

/** Runs a program to its end and gives what it wrote. Never throws: a refused call is an answer too. */
export function runProgram(
  file: string,
  args: readonly string[],
  {
    input = "",
    timeoutMs = 30_000,
    env,
  }: { input?: string | Buffer; timeoutMs?: number; env?: NodeJS.ProcessEnv } = {},
): Promise<{ code: number; stdout: Buffer; stderr: string }> {
  return new Promise((resolve) => {
    const options = { encoding: "buffer", timeout: timeoutMs, maxBuffer: 64 * 1024 * 1024, env } as const;
    const child = execFile(file, args, options, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
      resolve({ code, stdout, stderr: stderr.toString() || (error?.message ?? "") });
    });
    child.stdin?.on("error", () => {
      // The program ended without reading its input; its exit code says why.
    });
    child.stdin?.end(input);
  });
}
