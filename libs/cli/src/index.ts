export { EXIT, type ExitCode } from "./exit-codes.ts";
export { type CliConfig, readConfig } from "./config.ts";
export { type CliIo, Interruption, type OutputStream } from "./io.ts";
export { type CliOptions, runCli } from "./run-cli.ts";
