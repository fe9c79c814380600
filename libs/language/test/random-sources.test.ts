import { describeRandomSources } from "./support/random-sources.ts";

// The unit tests try a few of them.
describeRandomSources(1_000);
