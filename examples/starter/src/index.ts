export { createOutput, type ExampleOutput } from "./output.ts";
export { type Example, type ExampleOptions, runExample } from "./run-example.ts";
export { type LocalService, startLocalService } from "./local-service.ts";
