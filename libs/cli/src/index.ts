export { EXIT, type ExitCode } from "./exit-codes.ts";
export { type CliConfig, readConfig } from "./config.ts";
export { type CliIo, Interruption, type OutputStream } from "./io.ts";
export { formatDuration } from "./render/duration.ts";
export { createPainter, type Painter } from "./render/painter.ts";
export { type Style, styleFor } from "./render/style.ts";
export { type Column, renderTable } from "./render/table.ts";
export { oneLine, padEnd, textWidth, truncate } from "./render/text-width.ts";
export { type CliOptions, runCli } from "./run-cli.ts";
