/** The unit on a real systemd: a Debian is booted, the exporter serves, and its sandbox holds against a probe in its place. */

import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { ScratchFolder } from "../lab/daemon.ts";
import { boot, makeSystem, uid } from "./system.ts";

/** What root may not be able to do either: a container can't, or the probe asks for nothing that could be done. */
const hardlyAllowed = [
  "read /dev/kmsg",
  "load a kernel module",
  "load a BPF program",
  "set the clock",
  "make a socket for raw packets",
  "open a raw socket",
];

Deno.test("the unit on a booted Debian", async (t) => {
  await using scratch = await ScratchFolder.make("boot");
  const root = `${scratch.path}/root`;
  await makeSystem(root);
  await boot(root);
  const result = async (name: string) => await Deno.readTextFile(`${root}/results/${name}`);
  const probes = async (name: string) =>
    (await result(name)).trim().split("\n").map((line) => line.split("\t"));
  const journal = await result("journal");

  await t.step("it serves metrics of what is in the working directory", async () => {
    match(await result("healthz"), /^HTTP\/1\.1 200 /, journal);
    const metrics = await result("metrics");
    match(metrics, /^podheitor_mongodb_exporter_scrape_success 1$/m);
    match(metrics, /^podheitor_mongodb_resource_success\{resource="rs0"\} 1$/m);
    match(journal, /\/opt\/bacula\/working on http:\/\/127\.0\.0\.1:9105\n/);
  });

  await t.step("it serves by TLS with what is in /etc/podheitor/exporter", async () => {
    strictEqual(await result("tls"), "200 ok\n\n", journal);
    match(journal, /\/opt\/bacula\/working on https:\/\/127\.0\.0\.1:9105\n/);
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

  await t.step("the sandbox refuses what the documentation says", async () => {
    const found = await probes("probe");
    const width = Math.max(...found.map(([what]) => what!.length));
    console.log(
      found.map(([what, verdict, how]) => `${what!.padEnd(width)}  ${verdict}  ${how ?? ""}`).join("\n"),
    );
    deepStrictEqual(found.map(([what, verdict]) => [what, verdict]), await documentedVerdicts());
  });

  await t.step("without the sandbox, the same probe does it", async () => {
    const refused = (await probes("control")).filter(([, verdict]) => verdict !== "allowed");
    deepStrictEqual(refused.map(([what]) => what!).filter((what) => !hardlyAllowed.includes(what)), []);
  });

  await t.step("it ends when it is told to", async () => {
    const ended = (await result("stopped")).trim().split("\n").sort();
    deepStrictEqual(ended, ["ExecMainCode=1", "ExecMainStatus=0", "Result=success"]);
  });

  await t.step("systemd finds nothing wrong with the unit, and little exposed", async () => {
    strictEqual(await result("verdict"), "good\n");
    const exposure = Number(/exposure level for \S+: ([\d.]+)/.exec(await result("exposure"))?.[1]);
    ok(exposure <= 1, await result("exposure"));
    console.log(`${(await result("version")).trim()}: exposure ${exposure}`);
  });
});

/** What the documentation says of the sandbox. */
async function documentedVerdicts(): Promise<string[][]> {
  const text = await Deno.readTextFile(new URL("../../docs/monitoring.md", import.meta.url));
  return [...text.matchAll(/^\| (.*?) \| (refused|allowed) \|/gm)].map((
    [, what, verdict],
  ) => [what!, verdict!]);
}
