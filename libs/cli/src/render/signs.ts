import { NodeStatus } from "@heddle/proto/heddle/execution/v1/execution_pb.js";
import type { Style } from "./style.ts";

/** One character per state of a node, and the frames of what turns while it runs. */
export interface Signs {
  of(status: NodeStatus, frame: number): string;
}

type Paint = keyof Style;

interface Look {
  sign: string;
  ascii: string;
  paint: Paint;
}

const SPINNER = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const ASCII_SPINNER = ["|", "/", "-", "\\"];

const LOOKS: Readonly<Record<NodeStatus, Look>> = {
  [NodeStatus.UNSPECIFIED]: { sign: "?", ascii: "?", paint: "dim" },
  [NodeStatus.PENDING]: { sign: "○", ascii: ".", paint: "dim" },
  [NodeStatus.SCHEDULED]: { sign: "●", ascii: "*", paint: "cyan" },
  [NodeStatus.BACKING_OFF]: { sign: "↻", ascii: "~", paint: "yellow" },
  [NodeStatus.WAITING]: { sign: "◷", ascii: "=", paint: "yellow" },
  [NodeStatus.COMPLETED]: { sign: "✓", ascii: "+", paint: "green" },
  [NodeStatus.FAILED]: { sign: "✗", ascii: "x", paint: "red" },
  [NodeStatus.SKIPPED]: { sign: "↷", ascii: "-", paint: "dim" },
  [NodeStatus.CANCELED]: { sign: "⊘", ascii: "!", paint: "yellow" },
};

/** `frame` undefined stands still, for pages that are printed once. */
export function createSigns(style: Style, options: { unicode: boolean; turning: boolean }): Signs {
  const { unicode, turning } = options;
  return {
    of(status, frame) {
      const { sign, ascii, paint } = LOOKS[status] ?? LOOKS[NodeStatus.UNSPECIFIED];
      if (turning && status === NodeStatus.SCHEDULED) {
        const frames = unicode ? SPINNER : ASCII_SPINNER;
        return style[paint](frames[frame % frames.length] ?? sign);
      }
      return style[paint](unicode ? sign : ascii);
    },
  };
}
