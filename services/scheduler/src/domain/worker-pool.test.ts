import { create } from "@bufbuild/protobuf";
import { TaskType } from "@heddle/proto/heddle/scheduler/v1/task_pb.js";
import { CapabilitySchema } from "@heddle/proto/heddle/worker/v1/worker_service_pb.js";
import { expect, it } from "vitest";
import { AGENT_DESCRIPTION, task } from "../../test/simulation.ts";
import { kindOf } from "./task-kind.ts";
import { createPool, findCapability } from "./worker-pool.ts";

const { TOOL, AGENT } = TaskType;

/** What of the offers covers the task, as `type:name`. */
function match(offers: [TaskType, string][], of: { type: TaskType; name: string; described?: boolean }) {
  const pool = createPool(offers.map(([type, name]) => create(CapabilitySchema, { type, name })));
  const { type, name, described } = of;
  const kind = kindOf(task(0, { type, name, agent: described ? AGENT_DESCRIPTION : undefined }));
  const found = pool.capabilities[findCapability(pool, kind)];
  return found && `${TaskType[found.type]}:${found.name}`;
}

it("covers any tool with `*`, whatever its task says of agents", () => {
  expect(match([[TOOL, "*"]], { type: TOOL, name: "echo" })).toBe("TOOL:*");
  expect(match([[TOOL, "*"]], { type: TOOL, name: "echo", described: true })).toBe("TOOL:*");
  expect(match([[AGENT, "*"]], { type: TOOL, name: "echo" })).toBeUndefined();
});

it("covers with `*` only agents that their task describes, and with a name both", () => {
  for (const [described, any] of [
    [true, "AGENT:*"],
    [false, undefined],
  ] as const) {
    const clerk = { type: AGENT, name: "clerk", described };
    expect(match([[AGENT, "*"]], clerk)).toBe(any);
    expect(match([[AGENT, "clerk"]], clerk)).toBe("AGENT:clerk");
    expect(match([[TOOL, "*"]], clerk)).toBeUndefined();
    expect(match([[AGENT, "other"]], clerk)).toBeUndefined();
    const both: [TaskType, string][] = [
      [AGENT, "*"],
      [AGENT, "clerk"],
    ];
    expect(match(both, clerk)).toBe("AGENT:clerk");
  }
});
