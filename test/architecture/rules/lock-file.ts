import { lineOfText, type Rule } from "../rule.ts";

const LOCK_FILE = "package-lock.json";

interface LockedPackage {
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly resolved?: string;
}

export const lockComplete: Rule = {
  id: "lock-complete",
  rule: "package-lock.json names the optional packages of every platform",
  why: "binaries come as one optional package per platform: npm 11 refuses a lock file that lacks some, and older ones install nothing there",
  remedy:
    "pin the tool to a version whose packages are all published, then run `npm install`; a registry may list some of them later than others",
  check(tree) {
    const text = tree.files.find((file) => file.path === LOCK_FILE)?.text;
    if (text === undefined) return [];
    const packages = (JSON.parse(text) as { packages: Readonly<Record<string, LockedPackage>> }).packages;
    return Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies)
        .filter((name) => !folders(path).some((folder) => `${folder}node_modules/${name}` in packages))
        .map((name) => ({
          file: LOCK_FILE,
          line: lineOfText(text, `"${name}":`),
          what: `lacks ${name}, an optional package of ${path === "" ? "the root" : path}`,
        })),
    );
  },
};

/** Where Node looks for what a package at `path` imports: beside it, then upwards to the root. */
function folders(path: string): string[] {
  const parts = path.split("/node_modules/");
  return [...parts.keys()].map((index) => `${parts.slice(0, parts.length - index).join("/node_modules/")}/`).concat("");
}
