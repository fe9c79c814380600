import { aboutExecution } from "../finding.ts";
import type { Check } from "./check.ts";

export const starts: Check = {
  id: "starts",
  claim: "a request id has started one execution only",
  subject: "request ids",
  remedy:
    "the later execution has done the work a second time: cancel it if it still runs. The unique index executions_by_request forbids this: see whether it is there",
  run({ stored, live }, report) {
    const first = new Map<string, string>();
    const look = ({ executionId, namespace, requestId }: Started): void => {
      if (requestId === "") return;
      const key = `${namespace}/${requestId}`;
      const other = first.get(key);
      if (other === undefined) first.set(key, executionId);
      else if (other !== executionId) {
        const message = `request id ${requestId} of namespace ${namespace} has started ${other} too`;
        report(aboutExecution(executionId, `request ${other}`, message, { executionIds: [other] }));
      }
    };
    for (const execution of stored.values()) look(execution);
    for (const execution of live.values()) if (!stored.has(execution.executionId)) look(execution);
    return first.size;
  },
};

interface Started {
  executionId: string;
  namespace: string;
  requestId: string;
}
