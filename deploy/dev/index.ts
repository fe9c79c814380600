export { type DevConfig, devConfig } from "./config.ts";
export { type DevProcess, startDev, type StartDevOptions } from "./start-dev.ts";
