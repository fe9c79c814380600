import { compileExpression, compileTemplate, type Reference } from "@heddle/expression";
import type { FieldCompiler } from "./field.ts";
import type { Json } from "./json.ts";
import { linkErrorHandler, linkProgram } from "./link-plan.ts";
import type { LinkedNode, Plan } from "./plan.ts";
import type { MapNode } from "./plan-node.ts";

/** What the expressions of nodes read, as far as it can be told from their texts. When in doubt they read it. */
export interface Reads {
  /** Whether the node reads one of these fields of the workflow's input. */
  ofInput(node: LinkedNode, fields: ReadonlySet<string>): boolean;
  /** Whether the node reads one of these variables. */
  ofVars(node: LinkedNode, fields: ReadonlySet<string>): boolean;
}

const SPECIAL = new Set(["input", "current", "vars", "execution", "loop", "error"]);

export function createReads(plan: Plan): Reads {
  const known = new Map<LinkedNode, Reference[]>();
  const referencesOf = (node: LinkedNode): Reference[] => {
    const references = known.get(node) ?? collectReferences(plan, node);
    known.set(node, references);
    return references;
  };
  const isBody = plan.document.surroundings !== undefined;
  const isBare = ({ name, nodeId }: Reference) => nodeId === undefined && !SPECIAL.has(name);
  const hits = ({ path: [field] }: Reference, fields: ReadonlySet<string>) => field === undefined || fields.has(field);
  return {
    ofInput(node, fields) {
      if (takesFlow(node) && mayGetInput(plan, node)) return true;
      return referencesOf(node).some((reference) => {
        // The input of a map's body holds what is around it, by name.
        if (isBody && fields.has(reference.name)) return true;
        if (reference.name === "input") return hits(reference, fields);
        if (reference.name === "current") return mayGetInput(plan, node) && (isBody || hits(reference, fields));
        return isBare(reference) && fields.has(reference.name);
      });
    },
    ofVars(node, fields) {
      return referencesOf(node).some((reference) =>
        reference.name === "vars" ? hits(reference, fields) : isBare(reference) && fields.has(reference.name),
      );
    },
  };
}

/** Without `inputs` it gets what flows into it. */
function takesFlow({ definition }: LinkedNode): boolean {
  return (definition.kind === "task" || definition.kind === "sub_workflow") && definition.inputs === undefined;
}

/** Whether the workflow's input may flow into the node. */
function mayGetInput(plan: Plan, { definition }: LinkedNode): boolean {
  const { dependencies, depends, activators, container } = definition;
  // Of a condition over outcomes all may have failed: nothing flows from them.
  if (depends !== undefined) return true;
  if (dependencies.length > 0) return false;
  const before = container === undefined ? activators : [...activators, container];
  return before.length === 0 || before.some((index) => mayGetInput(plan, plan.nodes[index] as LinkedNode));
}

/** Links the node once more, with a compiler that only notes what it is given. */
function collectReferences(plan: Plan, { definition }: LinkedNode): Reference[] {
  const references: Reference[] = [];
  const options = { nodeIds: new Set([...plan.indices.keys(), ...(plan.document.surroundings?.nodeIds ?? [])]) };
  const note = (path: string, found: readonly Reference[]) => {
    references.push(...found);
    return { path, evaluate: (): Json => null, findFault: () => undefined };
  };
  const compiler: FieldCompiler = {
    template: (path, value) => note(path, compileTemplate(value, options).references),
    expression: (path, source) => note(path, compileExpression(source, options).references),
  };
  linkProgram(definition, compiler);
  if (definition.kind === "map") references.push(...readByBody(plan, definition));
  if (definition.when !== undefined) compiler.expression("when", definition.when);
  for (const [at, handler] of (definition.onError ?? []).entries()) linkErrorHandler(handler, at, compiler);
  return references;
}

function readByBody({ indices }: Plan, { captures = [] }: MapNode): Reference[] {
  return captures.flatMap(({ name, paths }) =>
    paths.map((path) => ({
      name,
      path,
      offset: 0,
      length: 0,
      optional: true,
      ...(indices.has(name) && { nodeId: name }),
    })),
  );
}
