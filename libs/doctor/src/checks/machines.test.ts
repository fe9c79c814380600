import { describe, expect, it } from "vitest";
import type { SuiteFacts } from "../facts.ts";
import { A, B, both, findAll, machine, NOW, stored, suite } from "./fixtures.ts";

const runs = (kind: "execution" | "machine") => ({ running: [{ invokeId: "ship", startedId: B, kind }] });

describe("machines that keep their promises", () => {
  const clean: [string, SuiteFacts][] = [
    ["a machine that waits for an execution", suite({ machines: [machine(A, runs("execution"))], ...both(B) })],
    [
      "a machine that waits for a machine",
      suite({ machines: [machine(A, runs("machine")), machine(B, { parentMachineId: A })] }),
    ],
    [
      "a machine that is about to be canceled, and one whose parent is suspended",
      suite({
        machines: [
          machine(A, { suspended: true, owed: [{ kind: "cancel", name: "ship/1" }] }),
          machine(B, { parentMachineId: A }),
        ],
      }),
    ],
  ];
  it.each(clean)("%s", (_name, facts) => {
    expect(findAll(facts)).toEqual([]);
  });
});

describe("one thing that is wrong with a machine", () => {
  const broken: [string, RegExp, SuiteFacts][] = [
    [
      "a gap in the history of a machine",
      /gaps: \S+01\d+ its history lacks event 3$/,
      suite({
        machines: [
          machine(A, {
            history: [
              { first: 1, last: 2 },
              { first: 4, last: 5 },
            ],
          }),
        ],
      }),
    ],
    [
      "a machine that its history does not give",
      /replay: .* at event 4: \$\.status/,
      suite({ machines: [machine(A, { replay: { reachedSeq: 4, difference: "$.status" } })] }),
    ],
    [
      "a machine's timer that is overdue",
      /timers: .* has not fired/,
      suite({ machines: [machine(A, { nextTimerAt: NOW - 31_000 })] }),
    ],
    ...(
      [
        ["start", /machines: .* invocation ship\/1 has not been started/],
        ["cancel", /machines: .* invocation ship\/1 has not been canceled/],
        ["message", /machines: .* message ship\/1 has not been delivered/],
      ] as const
    ).map(([kind, message]): [string, RegExp, SuiteFacts] => [
      `a ${kind} that a machine owes`,
      message,
      suite({ machines: [machine(A, { ended: kind !== "start", owed: [{ kind, name: "ship/1" }] })] }),
    ]),
    [
      "a machine that waits for an execution that there is not",
      /machines: .* waits for execution .* does not exist/,
      suite({ machines: [machine(A, runs("execution"))] }),
    ],
    [
      "a machine that waits for an execution that has ended",
      /machines: .* waits for execution .* has ended/,
      suite({ machines: [machine(A, runs("execution"))], stored: [stored(B, { ended: true })] }),
    ],
    [
      "a machine that waits for a machine that has ended",
      /machines: .* waits for machine .* has ended/,
      suite({ machines: [machine(A, runs("machine")), machine(B, { ended: true, parentMachineId: A })] }),
    ],
    [
      "a machine whose parent does not exist",
      /machines: .* is an orphan: .* does not exist/,
      suite({ machines: [machine(B, { parentMachineId: A })] }),
    ],
    [
      "a machine whose parent has gone on without it",
      /machines: .* is an orphan: .* neither waits/,
      suite({ machines: [machine(A), machine(B, { parentMachineId: A })] }),
    ],
    [
      "a partition of machines without an owner",
      /leases: .*machine partition 3 has no owner/,
      suite({}, { leases: [{ kind: "machine partition", number: 3, owner: "", live: false, epoch: 1 }] }),
    ],
  ];
  it.each(broken)("%s", (_name, message, facts) => {
    const found = findAll(facts);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(message);
  });
});
