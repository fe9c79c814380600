export { createLogger, type CreateLoggerOptions, type Logger } from "./logger.ts";
export { createMetrics, type Counter, type Histogram, type Metrics } from "./metrics.ts";
export { METRICS_CONTENT_TYPE, type Labels } from "./exposition.ts";
export {
  childTrace,
  currentTrace,
  formatTraceparent,
  newTrace,
  parseTraceparent,
  runWithTrace,
  type Trace,
} from "./trace.ts";
