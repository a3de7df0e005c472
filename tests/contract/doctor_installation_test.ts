/** What the doctor says of what is installed: each check well and ill. */

import { program } from "../../backend/version.ts";
import { testMachines } from "./doctor_machine.ts";

testMachines([
  {
    name: "all is well",
    change: () => {},
    check: "plugin",
    status: "ok",
    want: new RegExp(`The plugin's version is ${RegExp.escape(program.version)} as well, its licence AGPLv3`),
  },
  {
    name: "no program where the plugin looks",
    change: ({ folder }) => Deno.remove(`${folder}/backend`),
    check: "backend",
    status: "error",
    want: /backend can't be found: .*PODHEITOR_MONGODB_BACKEND/,
  },
  {
    name: "a program that isn't one",
    change: ({ folder }) => Deno.chmod(`${folder}/backend`, 0o644),
    check: "backend",
    status: "error",
    want: /backend is no program/,
  },
  {
    name: "a program that others may change",
    change: ({ folder }) => Deno.chmod(`${folder}/backend`, 0o777),
    check: "backend",
    status: "error",
    want: /mode 0777, others than its owner can change it: it starts each job.* chmod go-w/,
  },
  {
    name: "no configuration",
    change: ({ folder }) => Deno.remove(`${folder}/bacula-fd.conf`),
    check: "plugin_directory",
    status: "error",
    want:
      /warning .*bacula-fd\.conf can't be read.*--config[^]*error .*\/opt\/bacula\/plugins can't be looked into/,
  },
  {
    name: "a configuration without a Plugin Directory",
    change: (machine) => machine.configure("Maximum Concurrent Jobs = 3"),
    check: "plugin_directory",
    status: "error",
    want:
      /names no Plugin Directory: the File Daemon loads no plugin .*Plugin Directory = \/opt\/bacula\/plugins/,
  },
  {
    name: "a Plugin Directory that isn't there",
    change: (machine) => machine.configure("PluginDirectory = /nowhere"),
    check: "plugin_directory",
    status: "error",
    want: /\/nowhere can't be looked into/,
  },
  {
    name: "a Plugin Directory that is a file",
    change: (machine) => machine.configure(`plugin directory = ${machine.folder}/backend # a comment`),
    check: "plugin_directory",
    status: "error",
    want: /backend is no directory/,
  },
  {
    name: "a Plugin Directory that is a link",
    change: async (machine) => {
      await Deno.symlink("plugins", `${machine.folder}/link`);
      await machine.configure(`Plugin Directory = ${machine.folder}/link`);
    },
    check: "plugin_directory",
    status: "warning",
    want: /link is a link/,
  },
  {
    name: "a Plugin Directory that others may write to",
    change: ({ folder }) => Deno.chmod(`${folder}/plugins`, 0o775),
    check: "plugin_directory",
    status: "error",
    want: /mode 0775: whoever may write there runs code/,
  },
  {
    name: "no plugin",
    change: ({ plugin }) => Deno.remove(plugin),
    check: "plugin",
    status: "error",
    want: /podheitor-mongodb-fd\.so can't be found: .*restart the File Daemon/,
  },
  {
    name: "a plugin that others may change",
    change: ({ plugin }) => Deno.chmod(plugin, 0o757),
    check: "plugin",
    status: "error",
    want: /mode 0757, others than its owner can change it/,
  },
  {
    name: "a plugin of somebody else's",
    change: ({ plugin }) => Deno.chown(plugin, 65534, null),
    check: "plugin",
    status: "warning",
    want: /belongs to user 65534, wanted root/,
    needsRoot: true,
  },
  {
    name: "a plugin of another version",
    change: ({ plugin }) => patch(plugin, program.version, "9.8.7"),
    check: "plugin",
    status: "error",
    want: new RegExp(`The plugin's version is 9\\.8\\.7, this program's ${RegExp.escape(program.version)}`),
  },
  {
    name: "a plugin of another licence",
    change: ({ plugin }) => patch(plugin, "AGPLv3", "GPLv2+"),
    check: "plugin",
    status: "error",
    want: /doesn't name the licence AGPLv3: the File Daemon refuses to load it/,
  },
  {
    name: "a plugin that is none",
    change: ({ plugin }) => Deno.writeTextFile(plugin, "something else"),
    check: "plugin",
    status: "error",
    want: /is no plugin of Bacula/,
  },
]);

/** Puts one constant in another one's place. */
async function patch(path: string, from: string, to: string): Promise<void> {
  const bytes = await Deno.readFile(path);
  const text = new TextDecoder("latin1").decode(bytes);
  for (const { index } of text.matchAll(new RegExp(RegExp.escape(from), "g"))) {
    bytes.set(new TextEncoder().encode(to.padEnd(from.length, "\0")), index);
  }
  await Deno.writeFile(path, bytes);
}
