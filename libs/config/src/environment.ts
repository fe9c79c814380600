import { readFileSync } from "node:fs";
import { problem, value, type Read, type Setting } from "./setting.ts";

/** What `process.env` is. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The value of one setting: from its variable, from the file that `<NAME>_FILE` names, or its default. */
export function readVariable<T>(name: string, setting: Setting<T>, env: Environment): Read<T | undefined> {
  const expected = `; it must be ${setting.shape}, e.g. ${name}=${setting.example}`;
  const source = findText(name, setting.secret, env);
  if (!source.ok) return source;
  if (source.value === undefined) {
    return setting.required ? problem(`is missing${expected}`) : value(setting.default);
  }
  const { text, shown } = source.value;
  const read = setting.read(text);
  return read.ok ? read : problem(`${shown}${read.problem}${expected}`);
}

/** The text, and how a fault may quote it: never a secret. An empty variable counts as absent, as in shells. */
function findText(name: string, secret: boolean, env: Environment): Read<{ text: string; shown: string } | undefined> {
  const text = env[name]?.trim() ?? "";
  const path = secret ? (env[`${name}_FILE`] ?? "") : "";
  if (text !== "" && path !== "") return problem(`is given twice: as ${name} and as ${name}_FILE; keep one`);
  if (path === "") return value(text === "" ? undefined : { text, shown: secret ? "" : `("${text}") ` });
  try {
    return value({ text: readFileSync(path, "utf8").trim(), shown: `(from the file ${path}) ` });
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown error";
    return problem(`cannot be read: ${name}_FILE names ${path}, which gives ${code}; name a readable file`);
  }
}
