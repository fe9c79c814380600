import type { AttributeValue, Attributes } from "@heddle/engine";
import type { Queryable } from "@heddle/store";

/** One search attribute of one execution, or one text of a list. */
interface AttributeRow {
  id: string;
  namespace: string;
  name: string;
  kind: number;
  text: string;
  number: number | null;
}

const KINDS = { text: 1, number: 2, boolean: 3 } as const;

export interface IndexedExecution {
  id: string;
  namespace: string;
  attributes: Attributes;
}

/**
 * Makes the index of search attributes say what these executions have. Rows that are right already are left alone: an
 * execution is projected many times, and its attributes seldom change.
 */
export async function writeAttributes(transaction: Queryable, executions: readonly IndexedExecution[]): Promise<void> {
  if (executions.length === 0) return;
  const rows = executions.flatMap(rowsOf);
  const columns = [
    rows.map(({ id }) => id),
    rows.map(({ namespace }) => namespace),
    rows.map(({ name }) => name),
    rows.map(({ kind }) => kind),
    rows.map(({ text }) => text),
    rows.map(({ number }) => number),
  ];
  await transaction.query({
    name: "write-execution-attributes",
    text: `with wanted as (
        select * from unnest($1::uuid[], $2::text[], $3::text[], $4::smallint[], $5::text[], $6::double precision[])
          as w (execution_id, namespace, name, kind, text_value, number_value)
      ), gone as (
        delete from execution_attributes a where a.execution_id = any($7::uuid[]) and not exists (
          select from wanted w where (w.execution_id, w.name, w.kind, w.text_value) = (a.execution_id, a.name, a.kind, a.text_value))
      )
      insert into execution_attributes (execution_id, namespace, name, kind, text_value, number_value)
      select execution_id, namespace, name, kind, text_value, number_value from wanted on conflict do nothing`,
    values: [...columns, executions.map(({ id }) => id)],
  });
}

function rowsOf({ id, namespace, attributes }: IndexedExecution): AttributeRow[] {
  return Object.entries(attributes).flatMap(([name, value]) => {
    const texts = new Set(Array.isArray(value) ? value : [textOf(value)]);
    const kind = kindOf(value);
    return Array.from(texts, (text) => ({
      id,
      namespace,
      name,
      kind,
      text,
      number: typeof value === "number" ? value : null,
    }));
  });
}

function kindOf(value: AttributeValue): number {
  if (typeof value === "number") return KINDS.number;
  return typeof value === "boolean" ? KINDS.boolean : KINDS.text;
}

/** The same for equal values. */
function textOf(value: string | number | boolean): string {
  return String(value);
}

export interface AttributeCondition {
  name: string;
  equals?: string | number | boolean;
  /** All of one type, which is a text or a number. */
  atLeast?: string | number;
  above?: string | number;
  atMost?: string | number;
  below?: string | number;
}

/** As a condition on `executions`. `add` takes a value and gives its parameter. */
export function attributeConditionSql(condition: AttributeCondition, add: (value: unknown) => string): string {
  const { name, equals } = condition;
  const parts = [`namespace = executions.namespace`, `name = ${add(name)}`];
  if (equals !== undefined) {
    parts.push(`kind = ${kindOf(equals)}`, `text_value = ${add(textOf(equals))}`);
  } else {
    const bounds = [
      [">=", condition.atLeast],
      [">", condition.above],
      ["<=", condition.atMost],
      ["<", condition.below],
    ] as const;
    for (const [operator, bound] of bounds) {
      if (typeof bound === "number") parts.push(`kind = ${KINDS.number}`, `number_value ${operator} ${add(bound)}`);
      if (typeof bound === "string") parts.push(`kind = ${KINDS.text}`, `text_value ${operator} ${add(bound)}`);
    }
  }
  return `exists (select from execution_attributes where execution_attributes.execution_id = executions.execution_id
    and ${parts.map((part) => `execution_attributes.${part}`).join(" and ")})`;
}
