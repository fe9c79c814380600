export { defineConfig, type Config, type Settings, type Values } from "./define-config.ts";
export type { Environment } from "./environment.ts";
export { boolean, bytes, duration, int, list, oneOf, port, secret, string, url } from "./kinds.ts";
export type { Setting, SettingOptions } from "./setting.ts";
export { settingsReport, settingsTable } from "./table.ts";
