interface Explanation {
  /** In the words of OpenSSL, Node and grpc-js. */
  pattern: RegExp;
  meaning: string;
}

const EXPLANATIONS: readonly Explanation[] = [
  {
    pattern: /certificate required/i,
    meaning:
      "the server asks for a client certificate and got none: give one with its key (HEDDLE_TLS_CERT_FILE and HEDDLE_TLS_KEY_FILE)",
  },
  {
    pattern: /alert (bad certificate|unknown ca|certificate unknown|unsupported certificate)/i,
    meaning: "the server refuses the client's certificate: it must be of an authority that the server takes",
  },
  {
    pattern: /alert certificate (expired|revoked)/i,
    meaning: "the server refuses the client's certificate, which has expired or was revoked: renew it",
  },
  { pattern: /certificate has expired/i, meaning: "the server's certificate has expired: renew it there" },
  {
    pattern: /self-signed certificate|unable to (verify|get)[\w ]* certificate/i,
    meaning:
      "the server's certificate is of an authority that is not trusted here: name the authority's file (HEDDLE_TLS_CA_FILE)",
  },
  {
    pattern: /does not match certificate's altnames|altnames/i,
    meaning:
      "the server's certificate is for other names than the address: use one of its names as the address, or say which to expect (HEDDLE_TLS_SERVER_NAME)",
  },
  {
    pattern: /wrong version number|packet length too long/i,
    meaning: "the server does not speak TLS there: use http:// for it",
  },
];

/** What a failure of a connection has to do with TLS, and what to do about it. Undefined when it is another matter. */
export function explainTlsFailure(message: string): string | undefined {
  const found = EXPLANATIONS.find(({ pattern }) => pattern.test(message));
  return found && `${found.meaning} (${message})`;
}
