import type { JsonObject } from "@heddle/engine";
import { attribute, childrenOf, type Conversion, refuseOthers } from "./conversion.ts";
import { ACTIONS, convertActions } from "./convert-actions.ts";
import { convertPayload } from "./convert-data.ts";
import type { XmlElement } from "./read-xml.ts";

const KINDS = ["workflow", "tool", "agent", "machine"] as const;
const SCXML = new Set(["", "scxml", "http://www.w3.org/TR/scxml", "http://www.w3.org/TR/scxml/"]);

/**
 * `<invoke type="workflow" src="fulfil-order">`, and the same with `tool`, `agent` and `machine`. What SCXML itself invokes,
 * another document, is the machine that is called as the file is.
 */
export function convertInvocation(element: XmlElement, state: string, conversion: Conversion): JsonObject {
  const attributes = ["id", "type", "src", "namelist", "autoforward"];
  refuseOthers(element, { attributes, children: ["param", "content", "finalize"] }, conversion);
  const { problems } = conversion;
  const type = attribute(element, "type");
  const given = type?.value.trim() ?? "";
  const kind = SCXML.has(given) ? "machine" : KINDS.find((name) => name === given);
  const src = attribute(element, "src");
  if (kind === undefined) {
    const hint = `type="workflow", "tool", "agent" or "machine", with its name as src`;
    problems.error(type?.at ?? element.at, `nothing of the type ${JSON.stringify(given)} can be invoked`, hint);
  }
  if (src === undefined) {
    const hint = 'put an inner document into a file of its own, convert and publish it, and name it: src="inner.scxml"';
    problems.error(element.at, "<invoke> names nothing to invoke", hint);
  }
  const name = (src?.value.trim() ?? "missing").replace(/^.*[/#]/, "").replace(/\.(scxml|xml)$/, "");
  if (kind === "machine" && src !== undefined) {
    problems.warn(
      src.at,
      `the machine "${name}" has to be there when this one runs`,
      "convert and publish its document too",
    );
  }
  const inputs = convertPayload({ ...element, children: childrenOf(element, "param") }, conversion);
  const [finalize] = childrenOf(element, "finalize");
  const actions = finalize === undefined ? [] : finalizeOf(finalize, conversion);
  return {
    id: attribute(element, "id")?.value.trim() ?? `${state}-invocation`,
    [kind ?? "machine"]: name,
    ...(inputs !== undefined && { inputs }),
    ...(attribute(element, "autoforward")?.value.trim() === "true" && { auto_forward: true }),
    ...(actions.length > 0 && { finalize: actions }),
  };
}

function finalizeOf(finalize: XmlElement, conversion: Conversion): JsonObject[] {
  refuseOthers(finalize, { attributes: [], children: ACTIONS }, conversion);
  if (finalize.children.length === 0) {
    const hint = 'write it out: <assign location="total" expr="_event.data.total"/>';
    conversion.problems.error(finalize.at, "an empty <finalize> sets fields by itself, which is not converted", hint);
  }
  return convertActions(finalize, conversion);
}
