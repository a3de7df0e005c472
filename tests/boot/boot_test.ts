/** The unit on a real systemd: a Debian is booted, the exporter serves, and its sandbox holds against a probe in its place. */

import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { build } from "../../packaging/build.ts";
import { exporterLauncher } from "../../packaging/exporter_launcher.ts";
import { run } from "../lab/command.ts";
import { ScratchFolder } from "../lab/daemon.ts";
import { histories } from "../lab/histories.ts";
import { ensureTools } from "../lab/tools.ts";
import { findDebianRoot } from "./debian_root.ts";
import { expectedProbes } from "./probes.ts";

const checkout = new URL("../..", import.meta.url).pathname;
const unit = "podheitor-mongodb-exporter.service";
const runtime = "/opt/bacula/lib/podheitor-mongodb";
const uid = 987;

Deno.test("the unit serves on a booted Debian, and its sandbox refuses what the exporter doesn't need", async (t) => {
  await ensureTools(["systemd-nspawn"]);
  await using scratch = await ScratchFolder.make("boot");
  const root = `${scratch.path}/root`;
  await run("cp", ["-a", "--reflink=auto", await findDebianRoot(), root]);
  await install(root);
  await addProbe(root);
  await boot(root);
  const result = async (name: string) => await Deno.readTextFile(`${root}/results/${name}`);
  const journal = await result("journal");

  await t.step("it serves metrics of what is in the working directory", async () => {
    match(await result("healthz"), /^HTTP\/1\.1 200 /, journal);
    const metrics = await result("metrics");
    match(metrics, /^podheitor_mongodb_exporter_scrape_success 1$/m);
    match(metrics, /^podheitor_mongodb_resource_success\{resource="rs0"\} 1$/m);
    match(journal, /\/opt\/bacula\/working on http:\/\/127\.0\.0\.1:9105\n/);
  });

  await t.step(
    "it runs as bacula, without a capability, filtered, and without memory to write and run",
    async () => {
      const status = await result("status");
      match(status, new RegExp(`^Uid:(\t${uid}){4}$`, "m"));
      for (const set of ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"]) {
        match(status, new RegExp(`^${set}:\t0{16}$`, "m"));
      }
      match(status, /^NoNewPrivs:\t1$/m);
      match(status, /^Seccomp:\t2$/m);
      deepStrictEqual((await result("maps")).split("\n").filter((line) => / .wx. /.test(line)), []);
      match(await result("cmdline"), /^--allow-net=127\.0\.0\.1:9105$/m);
    },
  );

  await t.step("the sandbox refuses what the exporter doesn't need", async () => {
    const probes = (await result("probe")).trim().split("\n").map((line) => line.split("\t"));
    const width = Math.max(...probes.map(([what]) => what!.length));
    console.log(
      probes.map(([what, verdict, how]) => `${what!.padEnd(width)}  ${verdict}  ${how}`).join("\n"),
    );
    deepStrictEqual(probes.map(([what, verdict]) => [what, verdict]), expectedProbes);
  });

  await t.step("it ends when it is told to", async () => {
    deepStrictEqual((await result("stopped")).trim().split("\n").sort(), [
      "ExecMainCode=1",
      "ExecMainStatus=0",
      "Result=success",
    ]);
  });

  await t.step("systemd finds nothing wrong with the unit, and little exposed", async () => {
    strictEqual(await result("verify"), "good\n");
    const exposure = Number(/exposure level for \S+: ([\d.]+)/.exec(await result("security"))?.[1]);
    ok(exposure <= 1, await result("security"));
    console.log(`${(await result("version")).trim()}: exposure ${exposure}`);
  });
});

/** Puts there what packages install, an account, and a working directory with a history. */
async function install(root: string): Promise<void> {
  const { exporter } = await build();
  const module = `${runtime}/podheitor-mongodb-exporter.js`;
  const secret = "not for the exporter\n";
  await Deno.writeTextFile(
    `${root}/etc/passwd`,
    `bacula:x:${uid}:${uid}::/var/lib/bacula:/usr/sbin/nologin\n`,
    {
      append: true,
    },
  );
  await Deno.writeTextFile(`${root}/etc/group`, `bacula:x:${uid}:\n`, { append: true });
  for (
    const folder of [
      "/opt/bacula/bin",
      "/opt/bacula/etc",
      "/opt/bacula/working",
      runtime,
      "/etc/podheitor",
      "/home/operator",
      "/results",
    ]
  ) {
    await Deno.mkdir(`${root}${folder}`, { recursive: true, mode: 0o755 });
  }
  await Deno.copyFile(Deno.execPath(), `${root}${runtime}/deno`);
  await Deno.chmod(`${root}${runtime}/deno`, 0o755);
  await Deno.copyFile(`${exporter}.js`, `${root}${module}`);
  const launcher = `${root}/opt/bacula/bin/podheitor-mongodb-exporter`;
  await Deno.writeTextFile(launcher, exporterLauncher({ deno: `${runtime}/deno`, module }), { mode: 0o755 });
  await Deno.chmod(launcher, 0o755);
  await Deno.copyFile(`${checkout}packaging/systemd/${unit}`, `${root}/usr/lib/systemd/system/${unit}`);
  await Deno.copyFile(
    `${checkout}packaging/conf/podheitor-mongodb-exporter.env`,
    `${root}/etc/podheitor/podheitor-mongodb-exporter.env`,
  );
  await enable(root, unit);
  for (
    const path of [
      "/etc/podheitor/signing.pem",
      "/opt/bacula/etc/bacula-fd.conf",
      "/root/secret",
      "/home/operator/secret",
      "/var/log/secret",
    ]
  ) {
    await Deno.writeTextFile(`${root}${path}`, secret, { mode: 0o600 });
    await Deno.chown(`${root}${path}`, uid, uid);
  }
  await histories.oneJob("rs0", Math.floor(Date.now() / 1000)).write(`${root}/opt/bacula/working`);
  await run("chown", ["-R", `${uid}:${uid}`, `${root}/opt/bacula/working`]);
}

/** A probe under the very unit of the exporter, and what drives it all. */
async function addProbe(root: string): Promise<void> {
  const text = await Deno.readTextFile(`${checkout}packaging/systemd/${unit}`);
  const start = /^ExecStart=.*$/m;
  match(text, start);
  const perl = "/usr/bin/perl";
  const probe = text.replace("Type=exec", "Type=oneshot").replace(/^Restart.*\n/gm, "").replace(
    start,
    [
      `ExecStart=${perl} ${runtime}/probe.pl`,
      "StandardOutput=file:/run/probe",
      `BindReadOnlyPaths=${perl}`,
      `ExecPaths=${perl}`,
    ].join("\n"),
  );
  const systemd = `${root}/etc/systemd/system`;
  await Deno.writeTextFile(`${systemd}/probe.service`, probe);
  await Deno.copyFile(`${checkout}tests/boot/probe.pl`, `${root}${runtime}/probe.pl`);
  await Deno.copyFile(`${checkout}tests/boot/inside.sh`, `${root}/results/inside.sh`);
  await Deno.writeTextFile(
    `${systemd}/inside.service`,
    "[Unit]\nAfter=multi-user.target\n[Service]\nType=oneshot\nExecStart=/bin/bash /results/inside.sh\n",
  );
  await Deno.mkdir(`${systemd}/default.target.wants`, { recursive: true });
  await Deno.symlink("../inside.service", `${systemd}/default.target.wants/inside.service`);
}

/** What `systemctl enable` does. */
async function enable(root: string, unit: string): Promise<void> {
  const wants = `${root}/etc/systemd/system/multi-user.target.wants`;
  await Deno.mkdir(wants, { recursive: true });
  await Deno.symlink(`/usr/lib/systemd/system/${unit}`, `${wants}/${unit}`);
}

/** Boots the root; the system inside switches itself off. */
async function boot(root: string): Promise<void> {
  // deno-fmt-ignore
  await run("timeout", [
    "--kill-after=5", "150",
    "systemd-nspawn", "--quiet", `--directory=${root}`, "--register=no", "--keep-unit", "--boot", "--private-network",
    "--console=pipe", "--resolv-conf=off",
  ]);
}
