import { readVariable, type Environment } from "./environment.ts";
import type { Settings } from "./define-config.ts";
import type { Setting } from "./setting.ts";

/** The settings as a Markdown table, for documentation. */
export function settingsTable(settings: Settings): string {
  const rows = Object.entries(settings).map(([name, setting]) => [
    `\`${name}\``,
    defaultOf(setting),
    `${setting.shape}${setting.secret ? `; or a path in \`${name}_FILE\`` : ""}`,
    setting.doc,
  ]);
  return [["Variable", "Default", "Shape", "What it is for"], ["---", "---", "---", "---"], ...rows]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |\n`)
    .join("");
}

/** What `check-config` prints: every variable with the value that holds, where it comes from, or what is wrong. */
export function settingsReport(settings: Settings, env: Environment): string {
  const width = Math.max(0, ...Object.keys(settings).map((name) => name.length));
  return Object.entries(settings)
    .map(([name, setting]) => `${name.padEnd(width)}  ${stateOf(name, setting, env)}\n`)
    .join("");
}

function stateOf(name: string, setting: Setting<unknown>, env: Environment): string {
  const read = readVariable(name, setting, env);
  if (!read.ok) return `FAULT: ${read.problem}`;
  const given = (env[name] ?? "") !== "" || (setting.secret && (env[`${name}_FILE`] ?? "") !== "");
  if (!given) return read.value === undefined ? "not set" : `${setting.show(read.value)} (default)`.trimStart();
  return setting.secret ? "set (secret)" : setting.show(read.value);
}

function defaultOf(setting: Setting<unknown>): string {
  if (setting.required) return "required";
  if (setting.default === undefined) return "not set";
  if (setting.secret) return "a built-in one";
  const shown = setting.show(setting.default);
  return shown === "" ? "none" : `\`${shown}\``;
}
