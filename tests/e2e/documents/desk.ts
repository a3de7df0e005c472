/**
 * Where documented commands are typed: a checkout, a shell with what is built on its PATH, a console, and the server that they speak of.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Tool } from "../../documents/commands.ts";
import { run } from "../../lab/command.ts";
import { until } from "../../lab/condition.ts";
import { freePort, ScratchFolder } from "../../lab/daemon.ts";
import { findMongod } from "../../lab/mongod_binary.ts";
import { ensureTools } from "../../lab/tools.ts";
import { GuideData } from "../guide_data.ts";
import { System } from "../system.ts";

const checkout = new URL("../../..", import.meta.url).pathname;

/** A place for commands, with all that they take. */
export class Desk implements AsyncDisposable {
  readonly system: System;
  readonly data: GuideData;
  readonly folder: string;
  /** The documents' names, and what they are here. */
  readonly names: Record<string, string>;
  readonly #env: Readonly<Record<string, string>>;
  readonly #resources: AsyncDisposableStack;

  private constructor(
    { system, data, folder, env }: Pick<Desk, "system" | "data" | "folder"> & { env: Record<string, string> },
    resources: AsyncDisposableStack,
  ) {
    this.system = system;
    this.data = data;
    this.folder = folder;
    this.#env = env;
    this.#resources = resources;
    const { lab, set } = system;
    this.names = {
      "/opt/bacula/working": `${lab.folder}/work`,
      "/etc/podheitor": `${folder}/etc`,
      "/backups": `${folder}/backups`,
      "/a/mongodump/folder": `${folder}/dump`,
      "/var/tmp": `${folder}/tmp`,
      "signing.pem.pub": `${folder}/etc/signing.pem.pub`,
      // The folder of plugins of another Bacula, and any plugin.
      "/usr/lib/bacula/bpipe-fd.so": system.built.plugin,
      "/opt/bacula/plugins": `${folder}/tmp`,
      "127.0.0.1:9105": `127.0.0.1:${freePort()}`,
      "mongodb://…": set.uri,
      "db1-fd": "lab-fd",
      "client=…": "client=lab-fd",
      "job=…": "job=mongo-rs0",
      "jobname=…": "jobname=mongo-rs0",
      // A user that no test machine has.
      " bacula:": " root:",
      "-o bacula": "-o root",
    };
  }

  /** Starts everything; the replica set has the guide's data, and no job has run. */
  static async open(): Promise<Desk> {
    await ensureTools(["b3sum", "openssl"]);
    await using resources = new AsyncDisposableStack();
    const { path: folder } = resources.use(await ScratchFolder.make("documents"));
    for (const name of ["etc", "bin", "tmp", "by-hand"]) await Deno.mkdir(`${folder}/${name}`);
    const key = { PODHEITOR_MONGODB_SIGNING_KEY: `${folder}/etc/signing.pem` };
    const uriFile = `${folder}/etc/rs0.uri`;
    const system = resources.use(
      await System.start({
        set: { members: 1 },
        commands: () => ({ "mongo-rs0": `podheitor-mongodb: uri_file=${uriFile} segment_size=1M` }),
        lab: { env: key },
      }),
    );
    await Deno.writeTextFile(uriFile, system.set.uri, { mode: 0o600 });
    await Deno.writeTextFile(`${folder}/etc/podheitor-mongodb.env`, "# nothing\n");
    const programs = {
      "podheitor-mongodb-backend": system.built.backend,
      "podheitor-mongodb-exporter": system.built.exporter,
      // What the runbooks call it.
      backend: system.built.backend,
      deno: Deno.execPath(),
    };
    for (const [name, path] of Object.entries(programs)) await Deno.symlink(path, `${folder}/bin/${name}`);
    const env = {
      ...key,
      PODHEITOR_MONGODB_BACKEND: system.built.backend,
      PATH: `${folder}/bin:${Deno.env.get("PATH")}`,
      MONGOD_BIN: (await findMongod()).path,
      // The folders belong to whoever runs the tests.
      PODHEITOR_MONGODB_USER: "root",
    };
    const data = await GuideData.load(system.client);
    return new Desk({ system, data, folder, env }, resources.move());
  }

  /** Has a command run, in the checkout or another folder, and returns what it says. Throws where it fails. */
  async type(tool: Tool, text: string, cwd: string = checkout): Promise<string> {
    if (tool === "shell") return await run("bash", ["-euo", "pipefail", "-c", text], { cwd, env: this.#env });
    assert.equal(tool, "bconsole", "the desk has no shell of MongoDB's");
    const said = await this.system.lab.console(text.split("\n"));
    assert.doesNotMatch(said, /invalid|unknown|not authorized|MONGO-\d/i);
    return said;
  }

  /** Runs a command that is wrong as it stands, and returns how it ends. */
  async typeInVain(text: string): Promise<{ code: number; stderr: string }> {
    const command = new Deno.Command("bash", { args: ["-c", text], cwd: checkout, env: this.#env });
    const { code, stderr } = await command.output();
    return { code, stderr: new TextDecoder().decode(stderr) };
  }

  /** Starts a command that goes on until the desk is left; resolves when the address answers. */
  async leaveRunning(text: string, url: string): Promise<string> {
    const child = new Deno.Command("bash", {
      args: ["-c", `exec ${text}`],
      env: this.#env,
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    this.#resources.defer(async () => {
      child.kill("SIGTERM");
      await child.status;
    });
    await until(`an answer of ${url}`, 30_000, () =>
      fetch(url).then(async (answer) => {
        await answer.body?.cancel();
        return answer.ok;
      }, () => false));
    return "";
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync();
  }
}
