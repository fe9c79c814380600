import { expect, test } from "vitest";
import { explain } from "../architecture/rule.ts";
import { readSourceTree } from "../architecture/source-tree.ts";
import { readContract } from "./contract.ts";
import { reasonsExist } from "./error-reasons.ts";
import { CONTRACT_RULES } from "./rules.ts";

const root = new URL("../..", import.meta.url).pathname;
const contract = readContract(root);

test.each(CONTRACT_RULES)("$id", (rule) => {
  const findings = rule.check(contract);
  expect(findings, explain(rule, findings)).toHaveLength(0);
});

test(reasonsExist.id, () => {
  const findings = reasonsExist.check({ contract, tree: readSourceTree(root) });
  expect(findings, explain(reasonsExist, findings)).toHaveLength(0);
});

// A reader that found nothing would let every rule pass.
test("the contract that was read is this one", () => {
  const names = contract.services.map(({ name }) => name);
  expect(names).toContain("heddle.execution.v1.ExecutionService");
  expect(contract.getMessage("heddle.execution.v1.StartExecutionRequest").fields.length).toBeGreaterThan(3);
});
