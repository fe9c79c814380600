import { readFile, stat } from "node:fs/promises";
import { extname } from "node:path";
import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { CliError } from "./cli-error.ts";
import { EXIT } from "./exit-codes.ts";
import type { CliIo } from "./io.ts";
import { inputMaxBytes } from "./limits.ts";

/**
 * Reads a JSON value that was given as text (`{"a":1}`), as file (`@input.json`, `@input.yaml`) or as standard input
 * (`-`). `flag` names it in errors.
 */
export async function readJsonValue(given: string, flag: string, io: CliIo): Promise<JsonValue> {
  if (given === "-") return parse(await io.readStdin(inputMaxBytes), "standard input", flag, false);
  if (given.startsWith("@")) return readJsonFile(given.slice(1), flag);
  return parse(given, `the text after ${flag}`, flag, false);
}

/** Like `readJsonValue`, for what has to be an object. */
export async function readJsonObject(given: string, flag: string, io: CliIo): Promise<JsonObject> {
  return assertObject(await readJsonValue(given, flag, io), flag);
}

/** The object that a file holds, YAML by its ending, else JSON. */
export async function readJsonObjectFile(path: string, flag: string): Promise<JsonObject> {
  return assertObject(await readJsonFile(path, flag), flag);
}

async function readJsonFile(path: string, flag: string): Promise<JsonValue> {
  const text = await readTextFile(path, inputMaxBytes);
  return parse(text, path, flag, [".yaml", ".yml"].includes(extname(path).toLowerCase()));
}

/** The text of a file of limited size. */
export async function readTextFile(path: string, maxBytes: number): Promise<string> {
  try {
    const { size } = await stat(path);
    if (size > maxBytes) {
      throw new CliError(`${path} has ${size} bytes; at most ${maxBytes} are allowed`, { reason: "FILE_TOO_LARGE" });
    }
    return await readFile(path, "utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === undefined) throw error;
    if (code === "ENOENT") {
      const options = { exitCode: EXIT.notFound, reason: "FILE_NOT_FOUND", cause: error };
      throw new CliError(`there is no file ${path}`, options);
    }
    throw new CliError(`${path} cannot be read: ${code}`, { reason: "FILE_NOT_READABLE", cause: error });
  }
}

async function parse(text: string, place: string, flag: string, yaml: boolean): Promise<JsonValue> {
  if (Buffer.byteLength(text) > inputMaxBytes) {
    throw new CliError(`${place} is larger than ${inputMaxBytes} bytes`, { reason: "INPUT_TOO_LARGE" });
  }
  try {
    if (!yaml) return JSON.parse(text) as JsonValue;
    const { parse: parseYaml } = await import("yaml");
    // Aliases are counted, so that a small file cannot stand for a huge value; what JSON lacks becomes what JSON has.
    return JSON.parse(JSON.stringify(parseYaml(text, { maxAliasCount: 1_000 }) ?? null)) as JsonValue;
  } catch (error) {
    const what = yaml ? "YAML" : "JSON";
    throw new CliError(`${place} is not ${what}: ${(error as Error).message}`, {
      reason: "INPUT_NOT_JSON",
      hint: `${flag} takes JSON such as '{"name":"Ada"}', @file.json, @file.yaml, or - for standard input`,
      cause: error,
    });
  }
}

function assertObject(value: JsonValue, flag: string): JsonObject {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  const got = value === null ? "null" : Array.isArray(value) ? "a list" : `a ${typeof value}`;
  throw new CliError(`the value of ${flag} is ${got}; it has to be an object`, {
    reason: "INPUT_NOT_AN_OBJECT",
    hint: `give it a name: ${flag} '{"value": …}'${flag.startsWith("--input") ? " and read it as ${input.value}" : ""}`,
  });
}
