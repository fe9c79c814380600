import type { ParentClosePolicy } from "@heddle/engine";
import type { NodeBody } from "../draft.ts";
import type { Fields } from "../fields.ts";
import { checkId } from "../ids.ts";
import { MAX_ID_LENGTH } from "../limits.ts";
import { readTemplate } from "./reader.ts";
import type { NodeReader } from "./reader.ts";

export function readSubWorkflow(reader: NodeReader): NodeBody {
  const { fields } = reader;
  const workflowAt = fields.require("workflow_id", "the id of the workflow to run");
  const workflowId = fields.text("workflow_id", MAX_ID_LENGTH) ?? "";
  if (workflowAt !== undefined && workflowId !== "")
    checkId(workflowId, workflowAt, "the id of a workflow", fields.report);
  const version = fields.integer("version", { min: 1, max: 2_147_483_647 });
  const inputs = fields.find("inputs") === undefined ? undefined : readTemplate(reader, "inputs");
  const isDetached = fields.boolean("detached") === true;
  return {
    kind: "sub_workflow",
    workflowId,
    ...(workflowAt === undefined ? {} : { workflowAt }),
    ...(version === undefined ? {} : { version }),
    ...(inputs === undefined ? {} : { inputs: inputs.value }),
    ...(isDetached && { detached: true as const }),
    ...readClosePolicy(fields, isDetached),
  };
}

/** What becomes of the child when its node does not wait for it any more. */
export function readClosePolicy(
  fields: Fields,
  isDetached: boolean,
): { onParentClose?: Exclude<ParentClosePolicy, "cancel"> } {
  const at = fields.find("on_parent_close");
  const policy = fields.oneOf("on_parent_close", ["cancel", "terminate", "leave"]);
  if (at !== undefined && isDetached) {
    const message = `${fields.what} lets its child go, so that nothing becomes of it when the parent ends`;
    fields.report.add("useless-close-policy", at, message, "keep detached, or on_parent_close");
  }
  return policy === undefined || policy === "cancel" ? {} : { onParentClose: policy };
}
