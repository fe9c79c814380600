import { execFileSync } from "node:child_process";
import { renameSync, writeFileSync } from "node:fs";
import { isIP } from "node:net";
import { join } from "node:path";

/** Where a certificate and its key stand, in PEM. */
export interface TestCertificate {
  certFile: string;
  keyFile: string;
}

/** An authority that a test makes for itself. */
export interface TestAuthority {
  /** Its own certificate, in PEM. */
  readonly caFile: string;
  /** A certificate for servers and clients. `hosts` are DNS names and addresses. Issued again under the same name, it takes the place of the one before. */
  issue(name: string, hosts: readonly string[]): TestCertificate;
}

const DAYS = "2";
const NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

/** What to do to have certificates of tests made; undefined when they can be. Skip with it as the reason. */
export function findCertificateRemedy(): string | undefined {
  try {
    openssl("version");
    return undefined;
  } catch {
    return "openssl is not here: install it to test TLS";
  }
}

/** Makes an authority in an empty folder. Needs the program `openssl`. */
export function createTestAuthority(folder: string, name = "test authority"): TestAuthority {
  const caFile = join(folder, "ca.crt");
  const caKey = join(folder, "ca.key");
  const config = join(folder, "openssl.cnf");
  // One of our own, as those of distributions differ.
  writeFileSync(
    config,
    "[req]\ndistinguished_name = name\n[name]\n[authority]\nbasicConstraints = critical, CA:TRUE\nkeyUsage = critical, keyCertSign\nsubjectKeyIdentifier = hash\n",
  );
  const subject = (text: string) => ["-config", config, "-subj", `/CN=${text}`];
  openssl(
    "req",
    "-x509",
    ...NEW_KEY,
    ...subject(name),
    "-extensions",
    "authority",
    "-days",
    DAYS,
    "-keyout",
    caKey,
    "-out",
    caFile,
  );

  const signing = ["x509", "-req", "-CA", caFile, "-CAkey", caKey, "-CAcreateserial", "-days", DAYS];

  return {
    caFile,
    issue(holder, hosts) {
      const path = join(folder, holder);
      const names = hosts.map((host) => `${isIP(host) === 0 ? "DNS" : "IP"}:${host}`).join(",");
      writeFileSync(
        `${path}.ext`,
        `basicConstraints = CA:FALSE\nextendedKeyUsage = serverAuth, clientAuth\n${names === "" ? "" : `subjectAltName = ${names}\n`}`,
      );
      openssl("req", "-new", ...NEW_KEY, ...subject(holder), "-keyout", `${path}.key.new`, "-out", `${path}.csr`);
      openssl(...signing, "-in", `${path}.csr`, "-extfile", `${path}.ext`, "-out", `${path}.crt.new`);
      renameSync(`${path}.key.new`, `${path}.key`);
      renameSync(`${path}.crt.new`, `${path}.crt`);
      return { certFile: `${path}.crt`, keyFile: `${path}.key` };
    },
  };
}

function openssl(...args: string[]): void {
  execFileSync("openssl", args, { stdio: ["ignore", "ignore", "pipe"] });
}
