/**
 * Certificates for servers and clients of tests.
 *
 * @module
 */

import { run } from "../lab/command.ts";

/** Two authorities, one of which nobody trusts, and certificates of servers and of a client. */
export async function makeCertificates(folder: string): Promise<void> {
  const openssl = async (line: string) => {
    await run("openssl", line.split(" ").map((word) => word.replace("@", `${folder}/`)));
  };
  const key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
  for (const name of ["ca", "other"]) {
    const extensions = "-addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign";
    await openssl(
      `req -x509 ${key} -keyout @${name}.key -out @${name}.pem -days 2 -subj /CN=${name} ${extensions}`,
    );
  }
  const issue = async (name: string, subject: string, alternative: string) => {
    await openssl(
      `req ${key} -keyout @${name}.key -out @${name}.csr -subj ${subject} -addext subjectAltName=${alternative}`,
    );
    await openssl(
      `x509 -req -in @${name}.csr -CA @ca.pem -CAkey @ca.key -CAcreateserial -copy_extensions copy -days 1 -out @${name}.crt`,
    );
    const [certificate, secret] = await Promise.all(
      ["crt", "key"].map((end) => Deno.readTextFile(`${folder}/${name}.${end}`)),
    );
    await Deno.writeTextFile(`${folder}/${name}.pem`, `${certificate}${secret}`, { mode: 0o600 });
  };
  await issue("server", "/O=lab/OU=servers/CN=127.0.0.1", "IP:127.0.0.1");
  await issue("elsewhere", "/O=lab/OU=servers/CN=elsewhere", "DNS:elsewhere.invalid");
  await issue("client", "/O=lab/OU=people/CN=saver", "DNS:saver");
}

/** Arguments of a server that has one of the certificates. */
export function tlsArguments(folder: string, certificate: string, mode = "requireTLS"): string[] {
  return [
    ...[
      "--tlsMode",
      mode,
      "--tlsCertificateKeyFile",
      `${folder}/${certificate}.pem`,
      "--tlsCAFile",
      `${folder}/ca.pem`,
    ],
    "--tlsAllowConnectionsWithoutCertificates",
    ...["--setParameter", "authenticationMechanisms=SCRAM-SHA-1,SCRAM-SHA-256,MONGODB-X509"],
  ];
}
