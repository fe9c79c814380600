import { execFileSync } from "node:child_process";

/** The commit to compare protos with, or why there is none. */
export type Baseline = { readonly ref: string } | { readonly skip: string };

/**
 * The contract that others rely on is the last commit of main: of the shared one when there is a remote, else of the
 * local one. On main itself only what is not committed yet can be compared.
 */
export function findBaseline(): Baseline {
  const ref = ["origin/main", "main"].find(
    (candidate) => git("rev-parse", "--verify", "--quiet", candidate) !== undefined,
  );
  if (ref === undefined) return { skip: "there is no branch main to compare with" };
  if (git("cat-file", "-e", `${ref}:proto/heddle`) === undefined) return { skip: `${ref} has no protos yet` };
  if (git("diff", "--quiet", ref, "--", "proto", "buf.yaml") !== undefined)
    return { skip: `no proto differs from ${ref}` };
  return { ref };
}

/** What git prints, or undefined when it fails. */
function git(...args: string[]): string | undefined {
  try {
    return execFileSync("git", args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  } catch {
    return undefined;
  }
}
