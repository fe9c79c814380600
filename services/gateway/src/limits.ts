import type { RpcLimits } from "@heddle/rpc";

/** A start that waits for the end may take as long as its longest wait, 10 minutes. */
export const GATEWAY_LIMITS: Partial<RpcLimits> = {
  deadlineDefaultByMethodMs: { "/heddle.execution.v1.ExecutionService/StartExecution": 600_000 },
};
