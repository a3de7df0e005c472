/**
 * A Debian with the exporter's unit installed and enabled, and a probe under the same unit.
 *
 * @module
 */

import { listContents } from "../../packaging/contents.ts";
import { layOut } from "../../packaging/layout.ts";
import { ownTarget } from "../../packaging/target.ts";
import { makeCertificates } from "../contract/certificates.ts";
import { run } from "../lab/command.ts";
import { histories } from "../lab/histories.ts";
import { ensureTools } from "../lab/tools.ts";
import { findDebianRoot } from "./debian_root.ts";

const checkout = new URL("../..", import.meta.url).pathname;
const unit = "podheitor-mongodb-exporter.service";
const runtime = "/opt/bacula/lib/podheitor-mongodb";

/** The number of the user `bacula`. */
export const uid = 987;

/** Files that the user `bacula` may read on this machine, and the exporter has no business with. */
const secrets = [
  "/etc/podheitor/signing.pem",
  "/opt/bacula/etc/bacula-fd.conf",
  "/root/secret",
  "/home/operator/secret",
  "/var/log/secret",
];

/** Makes the system in the folder `root`, which isn't there yet. */
export async function makeSystem(root: string): Promise<void> {
  await ensureTools(["systemd-nspawn", "openssl"]);
  await run("cp", ["-a", "--reflink=auto", await findDebianRoot(), root]);
  for (const folder of ["/opt/bacula/bin", "/opt/bacula/etc", "/opt/bacula/working", runtime]) {
    await Deno.mkdir(`${root}${folder}`, { recursive: true });
  }
  for (const folder of ["/etc/podheitor/exporter", "/home/operator", "/results"]) {
    await Deno.mkdir(`${root}${folder}`, { recursive: true });
  }
  const append = { append: true };
  await Deno.writeTextFile(`${root}/etc/passwd`, `bacula:x:${uid}:${uid}::/:/usr/sbin/nologin\n`, append);
  await Deno.writeTextFile(`${root}/etc/group`, `bacula:x:${uid}:\n`, append);
  await installExporter(root);
  await addCertificate(root);
  await addProbe(root);
  for (const path of secrets) await Deno.writeTextFile(`${root}${path}`, "secret\n", { mode: 0o600 });
  await histories.oneJob("rs0", Math.floor(Date.now() / 1000)).write(`${root}/opt/bacula/working`);
  const owned = [...secrets, "/opt/bacula/working", "/etc/podheitor/exporter"].map((path) =>
    `${root}${path}`
  );
  await run("chown", ["-R", `${uid}:${uid}`, ...owned]);
}

/** Boots the system, which switches itself off. */
export async function boot(root: string): Promise<void> {
  // deno-fmt-ignore
  await run("timeout", [
    "--kill-after=5", "150",
    "systemd-nspawn", "--quiet", `--directory=${root}`, "--register=no", "--keep-unit", "--boot", "--private-network",
    "--console=pipe", "--resolv-conf=off",
    // Else the container would refuse what the sandbox is to refuse.
    "--capability=CAP_NET_RAW", "--system-call-filter=@keyring",
  ]);
}

/** What packages install, but for the plugin's own setting. */
async function installExporter(root: string): Promise<void> {
  const work = await Deno.makeTempDir();
  const now = Math.floor(Date.now() / 1000);
  await layOut(await listContents(checkout, work, now, ownTarget), root, now);
  await Deno.remove(work, { recursive: true });
  await enable(root, `/usr/lib/systemd/system/${unit}`, "multi-user.target");
}

/** A web configuration with TLS, which isn't in use yet. */
async function addCertificate(root: string): Promise<void> {
  const folder = `${root}/etc/podheitor/exporter`;
  const made = await Deno.makeTempDir();
  await makeCertificates(made);
  for (const name of ["server.crt", "server.key"]) {
    await Deno.copyFile(`${made}/${name}`, `${folder}/${name}`);
  }
  await Deno.copyFile(`${made}/ca.pem`, `${root}/etc/podheitor/ca.pem`);
  await Deno.remove(made, { recursive: true });
  await Deno.writeTextFile(
    `${folder}/web.yml`,
    "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n",
  );
}

/** The probe, which is no launcher but Perl, and what drives it all. */
async function addProbe(root: string): Promise<void> {
  const perl = "/usr/bin/perl";
  const own = [`BindReadOnlyPaths=${perl}`, `ExecPaths=${perl}`, "StandardOutput=file:/run/probe"];
  const text = (await Deno.readTextFile(`${checkout}packaging/systemd/${unit}`))
    .replace("Type=exec", "Type=oneshot").replaceAll(/^Restart.*\n/gm, "")
    .replace(/^ExecStart=.*$/m, [`ExecStart=${perl} ${runtime}/probe.pl`, ...own].join("\n"))
    .replace(/^Environment=.*$/m, "Environment=LC_ALL=C");
  const units = `${root}/etc/systemd/system`;
  await Deno.writeTextFile(`${units}/probe.service`, text);
  await Deno.copyFile(`${checkout}tests/boot/probe.pl`, `${root}${runtime}/probe.pl`);
  await Deno.copyFile(`${checkout}tests/boot/inside.sh`, `${root}/results/inside.sh`);
  await Deno.writeTextFile(
    `${units}/inside.service`,
    "[Unit]\nAfter=multi-user.target\n[Service]\nType=oneshot\nExecStart=/bin/bash /results/inside.sh\n",
  );
  await enable(root, "/etc/systemd/system/inside.service", "default.target");
}

/** What `systemctl enable` does. */
async function enable(root: string, path: string, target: string): Promise<void> {
  const wants = `${root}/etc/systemd/system/${target}.wants`;
  await Deno.mkdir(wants, { recursive: true });
  await Deno.symlink(path, `${wants}/${path.split("/").at(-1)}`);
}
