// Installs what the lock file names, when it is not there already. Plain JavaScript for the host's Node (20 or newer):
// the Node that runs everything else is one of the packages that this installs.
import { spawnSync } from "node:child_process";
import { accessSync, constants, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const HOST_NODE = 20;

function readLock(path) {
  try {
    return JSON.parse(readFileSync(join(root, path), "utf8")).packages;
  } catch {
    return undefined; // not there, or cut short by an install that was interrupted
  }
}

/** Why an install is needed, or undefined. npm records what it put into node_modules in a lock file of its own. */
function findReason() {
  const wanted = readLock("package-lock.json");
  if (wanted === undefined) throw new Error("package-lock.json cannot be read: restore it with `git checkout package-lock.json`");
  const installed = readLock("node_modules/.package-lock.json");
  if (installed === undefined) return "nothing is installed yet";
  for (const [path, { version, link, optional, peer }] of Object.entries(wanted)) {
    const there = installed[path];
    // Optional packages are for some platforms only.
    if (!path.startsWith("node_modules/") || (there === undefined && (optional || peer))) continue;
    if (there === undefined) return `${path} is missing`;
    if (!link && there.version !== version) return `${path} is ${there.version}, not ${version}`;
  }
  try {
    accessSync(join(root, "node_modules/.bin/node"), constants.X_OK);
  } catch {
    return "the Node of the project is missing (were install scripts switched off?)";
  }
  return undefined;
}

const major = Number(process.versions.node.split(".")[0]);
if (major < HOST_NODE) {
  console.error(`Node ${process.versions.node} is too old to install with: Heddle needs Node ${HOST_NODE} or newer (it brings its own for everything else).`);
  process.exit(1);
}
const reason = findReason();
if (reason !== undefined) {
  console.log(`setup: ${reason}; installing packages (npm ci)`);
  // Packages that want the project's Node complain about the host's: errors only. Some shells export NODE_ENV=production.
  const install = ["ci", "--loglevel=error", "--include=dev", "--include=optional"];
  const { status, error } = spawnSync("npm", install, { cwd: root, stdio: "inherit", shell: process.platform === "win32" });
  if (error !== undefined) console.error(`setup: npm cannot be started: ${error.message}`);
  const after = status === 0 ? findReason() : "npm ci failed";
  if (after !== undefined) {
    console.error(`setup: ${after}. Remedy: see the lines above; \`rm -rf node_modules\` and try again when an install was interrupted.`);
    process.exit(1);
  }
}
