import {
  createPainter,
  type OutputStream,
  type Painter,
  readConfig,
  renderTable,
  type Style,
  styleFor,
} from "@heddle/cli";

/** Prints what an example has to show: colours and a live part on a terminal, plain lines elsewhere; with --json the result alone. */
export interface ExampleOutput {
  style: Style;
  /** Cells of a line; infinite where lines need not be cut. */
  columns: number;
  print(line?: string): void;
  table<Row>(rows: readonly Row[], columns: Parameters<typeof renderTable<Row>>[1]): void;
  /** What came out, for programs: printed with --json only, when nothing else is. */
  result(value: unknown): void;
  /** Undefined where nothing can be painted over. */
  createLive(): Painter | undefined;
}

export function createOutput(stream: OutputStream, json: boolean): ExampleOutput {
  const config = readConfig();
  const style = styleFor(stream, config);
  const print = (line = ""): void => {
    if (!json) stream.write(`${line}\n`);
  };
  return {
    style,
    columns: stream.columns ?? Number.POSITIVE_INFINITY,
    print,
    table(rows, columns) {
      for (const line of renderTable(rows, columns, style.dim)) print(line);
    },
    result(value) {
      if (json) stream.write(`${JSON.stringify(value)}\n`);
    },
    createLive: () => (!json && stream.isTTY === true && config.live ? createPainter(stream) : undefined),
  };
}
