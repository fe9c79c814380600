/** How long the parts of a broker's life may take before they are given up. Milliseconds. */
export const brokerLimits = {
  /** Maven on an empty local repository and a slow line: 65 MB. */
  downloadMs: 600_000,
  /** Formatting, and the run that trains the class archive: seconds, ten times that on a busy machine. */
  prepareMs: 120_000,
  /** From the start of the process to "Kafka Server started": 2 s on a quiet machine, 20 s on a busy one. */
  readyMs: 60_000,
  /** From SIGTERM to the end: 1 s; then SIGKILL. */
  stopMs: 20_000,
  /** For another process that installs or starts the same thing. */
  lockMs: 900_000,
};

/** Ports tried before a start on a port of our choice is given up. */
export const maxPortAttempts = 5;

/** How often something that another process does is looked at. */
export const pollMs = 20;
