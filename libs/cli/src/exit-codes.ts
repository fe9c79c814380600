/** What the exit code of `heddle` says; docs/cli.md has the same table. Scripts rely on it: never renumber. */
export const EXIT = {
  ok: 0,
  /** The workflow ended as failed or canceled; of a batch some targets have failed, or it waits for a person. */
  workflowFailed: 1,
  /** Wrong usage, or a definition or input that is not valid. */
  invalid: 2,
  /** No such execution, workflow, version or file. */
  notFound: 3,
  /** The server cannot be reached, is stopping, or is overloaded. */
  unavailable: 4,
  /** The time given with --timeout, or that of a call, is over. */
  timeout: 5,
  /** The request is understood and refused as things are now: the execution has ended, or permission is missing. */
  refused: 6,
  /** `heddle doctor` has found something that is not as it was promised. */
  violations: 7,
  /** `heddle doctor` has found nothing, and could not look at everything that it was to look at. */
  unchecked: 8,
  /** A defect of heddle itself. */
  internal: 70,
  interrupted: 130,
  terminated: 143,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
