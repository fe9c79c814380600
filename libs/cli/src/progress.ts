import type { ExecutionEvent } from "@heddle/proto/heddle/execution/v1/execution_event_pb.js";
import type { Execution } from "@heddle/proto/heddle/execution/v1/execution_pb.js";
import type { CliConfig } from "./config.ts";
import type { OutputStream } from "./io.ts";
import { paintIntervalMs } from "./limits.ts";
import { renderEventLine } from "./render/describe-event.ts";
import { renderTree } from "./render/execution-tree.ts";
import { applyEvent, createExecutionView, toMs } from "./render/execution-view.ts";
import type { OutlineEntry } from "./render/outline.ts";
import { createPainter } from "./render/painter.ts";
import { createSigns } from "./render/signs.ts";
import type { Style } from "./render/style.ts";

/** Shows how an execution goes on. */
export interface Progress {
  /** Events that it wants to be given from the start on: 0n for the history too. */
  readonly afterSeq: bigint;
  show(events: readonly ExecutionEvent[]): void;
  /** Shows the last state and gives the terminal back. Also to be called when the watching failed. */
  end(): void;
}

export interface ProgressOptions {
  stream: OutputStream;
  style: Style;
  /** As it stands when the watching begins, with its nodes. */
  execution: Execution;
  outline?: readonly OutlineEntry[];
  config: Pick<CliConfig, "unicode" | "live">;
  /** Milliseconds since the epoch. */
  now?: () => number;
}

/** A tree that is painted over and over on a terminal; lines, one per event, everywhere else. */
export function createProgress(options: ProgressOptions): Progress {
  return options.stream.isTTY === true && options.config.live ? createLiveTree(options) : createEventLines(options);
}

function createEventLines({ stream, style, execution }: ProgressOptions): Progress {
  const startedAtMs = toMs(execution.startedAt) ?? 0;
  return {
    afterSeq: 0n,
    show(events) {
      for (const event of events) stream.write(`${renderEventLine(event, { startedAtMs, style })}\n`);
    },
    end() {},
  };
}

function createLiveTree(options: ProgressOptions): Progress {
  const { stream, style, execution, outline, config, now = Date.now } = options;
  const view = createExecutionView(execution, outline);
  const painter = createPainter(stream);
  const signs = createSigns(style, { unicode: config.unicode, turning: true });
  let frame = 0;

  function paint(): void {
    const { columns, maxLines } = painter.size();
    painter.paint(renderTree(view, { style, signs, columns, maxLines, nowMs: now(), frame }));
  }

  // Events only change the view: however many come, the terminal is written to at this pace.
  const timer = setInterval(() => {
    frame += 1;
    paint();
  }, paintIntervalMs);
  stream.on?.("resize", paint);
  paint();

  return {
    afterSeq: execution.lastSeq,
    show(events) {
      for (const event of events) applyEvent(view, event);
    },
    end() {
      clearInterval(timer);
      stream.off?.("resize", paint);
      paint();
      painter.end();
    },
  };
}
