/**
 * The operator's guide, followed in a container with Debian's own Bacula and the package, as a newcomer would: all that is typed and said is printed.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { MongoClient } from "mongodb";
import { GuideData } from "../../tests/e2e/guide_data.ts";
import { readGuide, type Step } from "../../tests/e2e/guide_steps.ts";
import type { Container } from "./podman.ts";

type Commands = Extract<Step, { readonly language: string }>;

/** The way from the package to daemons that run. */
const installation = new URL("debian_bacula.sh", import.meta.url);

const guide = new URL("../../docs/operators-guide.md", import.meta.url);

/** What a shell of the operator's has, as the guide says. */
const shell = "set -a; . /etc/podheitor/podheitor-mongodb.env; set +a; PATH=$PATH:/opt/bacula/bin";

/** What systemd makes of a restart, by the drop-in that is there. */
const restartFileDaemon = `
pidfile=/run/bacula/bacula-fd.9102.pid
kill "$(cat $pidfile)"
timeout 30 sh -c "while [ -e $pidfile ]; do sleep 0.1; done"
variables=$(sed -n 's/^EnvironmentFile=//p' /etc/systemd/system/bacula-fd.service.d/*.conf)
(set -a; . "$variables"; exec /usr/sbin/bacula-fd -c /etc/bacula/bacula-fd.conf)`;

/** What the guide's paths are with Debian's own Bacula, as it says itself. */
const paths = [["/opt/bacula/working", "/var/lib/bacula"], ["/opt/bacula/etc", "/etc/bacula"]] as const;

/**
 * Installs, and does every step of the guide; the data is that of `client`.
 *
 * @param pkg file name of the DEB in `/packages`
 * @throws Error at the first step that isn't what the guide says
 */
export async function followGuide(
  container: Container,
  pkg: string,
  uri: string,
  client: MongoClient,
): Promise<void> {
  console.log(await container.exec(await Deno.readTextFile(installation), { PACKAGE: pkg }));
  const fileDaemon = /^\.clients\n(\S+)$/m.exec(await bconsole(container, [".clients"]))?.[1];
  assert.ok(fileDaemon, "the Director has no client");
  const data = await GuideData.load(client);
  data.names.set(
    "mongodb://backup:PASSWORD@db1:27017,db2:27017,db3:27017/?replicaSet=rs0&authSource=admin",
    uri,
  );
  for (const [name, meaning] of [...paths, ["db1-fd", fileDaemon] as const]) data.names.set(name, meaning);
  for (const step of readGuide(await Deno.readTextFile(guide))) {
    if ("action" in step) {
      console.log(`# ${step.action}`);
      if (step.action === "lose") await container.exec("rm -v /var/lib/bacula/podheitor-mongodb-*");
      else await data.act(step.action);
    } else await perform(container, step, data.names);
  }
  await container.exec(`
    [ "$(stat -c %U "/proc/$(cat /run/bacula/bacula-fd.*.pid)")" = root ]
    [ -z "$(find /var/lib/bacula -name 'podheitor-mongodb-*' ! -user bacula)" ]`);
  console.log("ok the File Daemon is root's, and what its jobs leave is bacula's");
}

async function perform(container: Container, step: Commands, names: Map<string, string>): Promise<void> {
  const { line, language, text, treatment } = step;
  const bound = [...names].reduce((bound, [name, meaning]) => bound.replaceAll(name, meaning), text);
  console.log(`\n=== operators-guide.md, line ${line}`);
  console.log(bound.replaceAll(/^/gm, language === "bash" ? "$ " : "* "));
  if (treatment.kind === "not-run") {
    if (treatment.reason !== "systemd") return console.log(`(not run here: ${treatment.reason})`);
    console.log("(restarted by hand, as there is no systemd)");
    await container.exec(restartFileDaemon);
    return;
  }
  if (language === "bash") return console.log(await container.exec(`${shell}\n${bound}`));
  const said = await bconsole(container, bound.split("\n"));
  const jobId = /^Job queued\. JobId=(\d+)/m.exec(said)?.[1];
  if (treatment.kind === "run") {
    console.log(said);
    assert.equal(jobId, undefined);
    assert.doesNotMatch(said, /invalid|unknown command|not authorized/i);
    return;
  }
  assert.ok(jobId, said);
  await bconsole(container, [`wait jobid=${jobId}`]);
  const log = await bconsole(container, [`list joblog jobid=${jobId}`]);
  console.log(said + log.replaceAll(/^(\\ *\||\+-+\+)\n/gm, "").replaceAll(/^\| /gm, ""));
  if (treatment.failsWith === null) assert.match(log, /^ *\|? *Termination: +(Backup|Restore) OK\s*$/m);
  else assert.ok(log.includes(`${treatment.failsWith} `), "the job had to fail otherwise");
  if (treatment.name !== null) names.set(`<${treatment.name}>`, jobId);
}

/** What bconsole says to these lines. */
async function bconsole(container: Container, lines: readonly string[]): Promise<string> {
  return await container.exec(`bconsole -n <<'END'\n${[...lines, "quit"].join("\n")}\nEND\n`);
}
