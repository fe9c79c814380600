import { compileExpression, compileTemplate } from "@heddle/expression";
import type { CompileOptions, Scope } from "@heddle/expression";
import { isObject } from "./json-object.ts";
import type { Json } from "./json.ts";

/** A field of a definition that holds an expression or a template. */
export interface Field {
  /** Where it stands in its node, for messages: `inputs`, `cases[2]`. */
  path: string;
  /** @throws whatever is wrong with the expression or its values */
  evaluate(scope: Scope): Json;
  /** Which text inside the field cannot be evaluated. Only asked after `evaluate` threw, so it may take its time. */
  findFault(scope: Scope): FieldFault | undefined;
}

export interface FieldFault {
  /** As written in the definition: `inputs.headers[0].value`. */
  path: string;
  /** The text that holds the expression. */
  source: string;
}

/** Makes the fields of one definition. */
export interface FieldCompiler {
  template(path: string, value: Json): Field;
  expression(path: string, source: string): Field;
}

type Compile = () => { evaluate(scope: Scope): Json };

/**
 * Expressions are compiled when they are first evaluated: a recovering process links many plans, of which most nodes
 * are past. The definition service has compiled each of them at publish, so that faults are found there.
 */
export function createFieldCompiler(nodeIds: ReadonlySet<string>): FieldCompiler {
  const options = { nodeIds };
  return {
    template: (path, value) => ({
      path,
      evaluate: compileOnce(() => compileTemplate(value, options)),
      findFault: (scope) => findTemplateFault(path, value, options, scope),
    }),
    expression: (path, source) => ({
      path,
      evaluate: compileOnce(() => compileExpression(source, options)),
      findFault: () => ({ path, source }),
    }),
  };
}

function compileOnce(compile: Compile): (scope: Scope) => Json {
  let compiled: ReturnType<Compile> | undefined;
  return (scope) => {
    compiled ??= compile();
    return compiled.evaluate(scope);
  };
}

function findTemplateFault(path: string, value: Json, options: CompileOptions, scope: Scope): FieldFault | undefined {
  if (typeof value === "string") {
    try {
      compileTemplate(value, options).evaluate(scope);
      return undefined;
    } catch {
      return { path, source: value };
    }
  }
  for (const [innerPath, inner] of listParts(path, value)) {
    const fault = findTemplateFault(innerPath, inner, options, scope);
    if (fault) return fault;
  }
  return undefined;
}

function listParts(path: string, value: Json): [string, Json][] {
  if (Array.isArray(value)) return value.map((item, index) => [`${path}[${index}]`, item]);
  return isObject(value) ? Object.entries(value).map(([name, field]) => [`${path}.${name}`, field]) : [];
}
