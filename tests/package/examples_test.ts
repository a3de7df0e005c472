/** The examples that packages bring are what Bacula and the backend take. */

import assert from "node:assert/strict";
import { parsePluginCommand } from "../../backend/options/command.ts";
import { BaculaLab } from "../lab/bacula.ts";
import { BaculaPrograms } from "../lab/bacula_programs.ts";

const examples = new URL("../../packaging/examples/", import.meta.url).pathname;

Deno.test("the examples are taken by Bacula's own check of configurations", async () => {
  await using lab = await BaculaLab.start();
  const programs = await BaculaPrograms.find();
  const etc = `${lab.folder}/etc`;
  const read = (name: string) => Deno.readTextFile(`${examples}${name}`);
  const own = await Deno.readTextFile(`${etc}/bacula-dir.conf`);
  // What the examples leave to the operator has other names in the lab.
  const named = own.replaceAll("lab-fd", "db1-fd").replaceAll("lab-sd", "File1");
  const director = `${named}\n${await read("backup.conf")}\n${await read("restore.conf")}`;
  await Deno.writeTextFile(`${etc}/examples-dir.conf`, director);
  await programs.run("bacula-dir", ["-t", "-c", `${etc}/examples-dir.conf`], "");
  await Deno.writeTextFile(`${etc}/broken-dir.conf`, director.replace("Schedule = ", "Scheduel = "));
  await assert.rejects(programs.run("bacula-dir", ["-t", "-c", `${etc}/broken-dir.conf`], ""));

  const daemon = (await read("bacula-fd.conf")).replace("/opt/bacula/plugins", `${lab.folder}/plugins`)
    .replace("/var/lib/bacula", `${lab.folder}/work`).replace("/run/bacula", `${lab.folder}/run`);
  const others = (await Deno.readTextFile(`${etc}/bacula-fd.conf`)).replace(/^FileDaemon \{[^}]*\}/m, "");
  await Deno.writeTextFile(`${etc}/examples-fd.conf`, daemon + others);
  await programs.run("bacula-fd", ["-t", "-c", `${etc}/examples-fd.conf`], "");
});

Deno.test("the plugin command of the examples is one", async () => {
  const text = await Deno.readTextFile(`${examples}backup.conf`);
  const commands = [...text.matchAll(/^\s*Plugin = "(.*)"$/gm)].map(([, command]) => command!);
  assert.equal(commands.length, 1);
  for (const command of commands) parsePluginCommand(command);
});
