import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { servicePorts } from "@heddle/service-process";
import { createTestAuthority, findCertificateRemedy } from "@heddle/testing";
import type { Kube } from "./kube.ts";

const SECRET = "heddle-tls";
const FOLDER = "/etc/heddle-tls";

/** Certificates of one round with TLS: one for all services and callers, as a Secret. */
export interface RoundTls {
  caFile: string;
  certFile: string;
  keyFile: string;
  /** The name of the edge in the certificate. */
  serverName: string;
  /** Puts a new certificate of the same authority into the Secret. */
  renew(kube: Kube): Promise<void>;
  /** What a pod that calls the suite needs. */
  pod: {
    env: { name: string; value: string }[];
    volumeMounts: { name: string; mountPath: string; readOnly: boolean }[];
    volumes: { name: string; secret: { secretName: string; defaultMode: number } }[];
    fsGroup: number;
  };
  close(): void;
}

/** @throws Error when certificates cannot be made here */
export function createRoundTls(release: string): RoundTls {
  const remedy = findCertificateRemedy();
  if (remedy !== undefined) throw new Error(remedy);
  const folder = mkdtempSync(join(tmpdir(), "heddle-cluster-tls-"));
  const authority = createTestAuthority(folder);
  const hosts = [release, ...Object.keys(servicePorts).map((service) => `${release}-${service}`)];
  const issue = () => authority.issue("suite", hosts);
  const files = { caFile: authority.caFile, ...issue() };
  const variable = (name: string, file: string) => ({ name, value: `${FOLDER}/${file}` });
  let issued = 1;
  return {
    ...files,
    serverName: release,
    async renew(kube) {
      // The first one is there already.
      if (issued++ > 1) issue();
      await kube.apply({
        apiVersion: "v1",
        kind: "Secret",
        metadata: { name: SECRET, namespace: kube.namespace },
        stringData: {
          "tls.crt": readFileSync(files.certFile, "utf8"),
          "tls.key": readFileSync(files.keyFile, "utf8"),
          "ca.crt": readFileSync(files.caFile, "utf8"),
        },
      });
    },
    pod: {
      env: [
        variable("HEDDLE_TLS_CA_FILE", "ca.crt"),
        variable("HEDDLE_TLS_CERT_FILE", "tls.crt"),
        variable("HEDDLE_TLS_KEY_FILE", "tls.key"),
      ],
      volumeMounts: [{ name: SECRET, mountPath: FOLDER, readOnly: true }],
      volumes: [{ name: SECRET, secret: { secretName: SECRET, defaultMode: 0o440 } }],
      fsGroup: 65532,
    },
    close: () => rmSync(folder, { recursive: true }),
  };
}

/** Of the chart, for a round with these certificates. */
export const TLS_VALUES = ["--set=tls.enabled=true", `--set=tls.secretName=${SECRET}`];
