/**
 * A machine for the doctor: files in a folder, and variables.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { CheckName, CheckStatus } from "../../backend/commands/doctor/check.ts";
import { examine } from "../../backend/commands/doctor/doctor.ts";
import type { DoctorReport } from "../../backend/commands/doctor/report.ts";
import { generateKey } from "../../backend/commands/keygen.ts";
import type { EnvironmentName } from "../../backend/options/environment.ts";
import { type Build, build } from "../../packaging/build.ts";
import { freePort, ScratchFolder } from "../lab/daemon.ts";

const isRoot = Deno.uid() === 0;
const now = new Date("2026-11-23T08:15:00Z");

let built: Promise<Build> | undefined;

/** What is installed, built once. */
export function product(): Promise<Build> {
  return built ??= build();
}

/** A machine on which all is well, in a folder. */
export class Machine implements AsyncDisposable {
  readonly folder: string;
  readonly #scratch: ScratchFolder;
  env: Partial<Record<EnvironmentName, string>>;

  private constructor(scratch: ScratchFolder) {
    this.#scratch = scratch;
    this.folder = scratch.path;
    this.env = {
      PODHEITOR_MONGODB_BACKEND: `${this.folder}/backend`,
      PODHEITOR_MONGODB_SIGNING_KEY: `${this.folder}/signing.pem`,
    };
  }

  static async make(): Promise<Machine> {
    const machine = new Machine(await ScratchFolder.make("doctor"));
    const { folder } = machine;
    const { plugin } = await product();
    for (const name of ["plugins", "work"]) await Deno.mkdir(`${folder}/${name}`, { mode: 0o750 });
    await Deno.copyFile(plugin, machine.plugin);
    await Deno.chmod(machine.plugin, 0o755);
    await Deno.writeTextFile(`${folder}/backend`, "#!/bin/sh\n", { mode: 0o755 });
    await generateKey(`${folder}/signing.pem`, now);
    await Deno.writeTextFile(`${folder}/rs0.uri`, `mongodb://a:b@127.0.0.1:${freePort()}/`, { mode: 0o600 });
    await machine.configure(`Plugin Directory = "${folder}/plugins"`);
    return machine;
  }

  get plugin(): string {
    return `${this.folder}/plugins/podheitor-mongodb-fd.so`;
  }

  async configure(directive: string): Promise<void> {
    const text = `# Plugin Directory = /wrong
Director { Name = dir; Password = "Plugin Directory = /wrong" }
FileDaemon {
  Name = fd
  WorkingDirectory = ${this.folder}/work
  ${directive}
}
`;
    await Deno.writeTextFile(`${this.folder}/bacula-fd.conf`, text);
  }

  async ask(
    command = `uri_file=${this.folder}/rs0.uri`,
    workingDirectory = `${this.folder}/work`,
  ): Promise<DoctorReport> {
    using _variables = setVariables(this.env);
    return await examine({
      pluginCommand: `podheitor-mongodb: ${command}`,
      purpose: "backup",
      workingDirectory,
      configPath: `${this.folder}/bacula-fd.conf`,
      intervalSeconds: undefined,
      clock: { now: () => now },
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#scratch[Symbol.asyncDispose]();
  }
}

function setVariables(variables: Readonly<Record<string, string>>): Disposable {
  for (const [name, value] of Object.entries(variables)) Deno.env.set(name, value);
  return {
    [Symbol.dispose]: () => {
      for (const name of Object.keys(variables)) Deno.env.delete(name);
    },
  };
}

/** One thing that is wrong with a machine, or right. */
export interface Case {
  readonly name: string;
  readonly change: (machine: Machine) => Promise<unknown> | unknown;
  readonly command?: (machine: Machine) => string;
  readonly check: CheckName;
  readonly status: CheckStatus;
  readonly want: RegExp;
  readonly needsRoot?: true;
}

/** Makes a test of each case. */
export function testMachines(cases: readonly Case[]): void {
  for (const { name, change, command, check, status, want, needsRoot } of cases) {
    Deno.test({
      name: `examine() of a machine: ${check}: ${name}${needsRoot ? " (needs root)" : ""}`,
      ignore: needsRoot === true && !isRoot,
      fn: async () => {
        await using machine = await Machine.make();
        await change(machine);
        const said = command?.(machine);
        const report = said === "elsewhere"
          ? await machine.ask(undefined, `${machine.folder}/elsewhere`)
          : await machine.ask(said);
        const found = report.checks.filter((one) => one.check === check);
        const text = found.map(({ status, code, text, remedy }) =>
          `${status} ${code ?? ""} ${text} -> ${remedy}`
        ).join("\n");
        assert.match(text, want);
        assert.ok(found.some((one) => one.status === status), text);
        if (status === "ok") assert.ok(found.every((one) => one.status === "ok"), text);
      },
    });
  }
}
