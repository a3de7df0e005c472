/**
 * The stand-alone commands of the built backend beside a server, under conditions of a test's own.
 *
 * @module
 */

import assert from "node:assert/strict";
import { MongoClient } from "mongodb";
import { build } from "../../packaging/build.ts";
import { signingKey } from "../e2e/system.ts";
import { canary, findCanary } from "../lab/canary.ts";
import { ScratchFolder } from "../lab/daemon.ts";
import { ReplicaSet, type ReplicaSetOptions } from "../lab/mongod.ts";

/** How a command ended. */
export interface Ended {
  /** 0 for a good one. */
  readonly code: number;
  /** Both outputs. */
  readonly text: string;
}

/** What of a command may be other than usual. */
interface Conditions {
  /** Lines of a shell's script that does something to itself before it becomes the backend. */
  readonly prelude?: string;
  /** In place of the built one. */
  readonly backend?: string;
  readonly level?: "F" | "I";
  /** Where backups go, or come from. */
  readonly folder?: string;
  readonly work?: string;
}

/** A server, a folder of backups and a working directory. */
export class CommandSite implements AsyncDisposable {
  readonly client: MongoClient;
  readonly set: ReplicaSet;
  readonly path: string;
  readonly #backend: string;
  readonly #uriFile: string;
  /** What commands have said. */
  readonly #said: string[] = [];
  readonly #resources: AsyncDisposableStack;

  private constructor(
    parts: Pick<CommandSite, "set" | "client" | "path"> & {
      readonly backend: string;
      readonly uriFile: string;
    },
    resources: AsyncDisposableStack,
  ) {
    this.set = parts.set;
    this.client = parts.client;
    this.path = parts.path;
    this.#backend = parts.backend;
    this.#uriFile = parts.uriFile;
    this.#resources = resources;
  }

  static async start(options: ReplicaSetOptions = {}): Promise<CommandSite> {
    await using resources = new AsyncDisposableStack();
    const { backend } = await build();
    const set = resources.use(
      await ReplicaSet.start({
        members: 1,
        auth: { user: "operator", password: canary.password },
        ...options,
      }),
    );
    const client = resources.use(await new MongoClient(set.uri).connect());
    const { path } = resources.use(await ScratchFolder.make("command"));
    await Deno.mkdir(`${path}/work`);
    const { path: secrets } = resources.use(await ScratchFolder.make("secrets"));
    await Deno.writeTextFile(`${secrets}/uri`, set.uri, { mode: 0o600 });
    return new CommandSite({ set, client, path, backend, uriFile: `${secrets}/uri` }, resources.move());
  }

  get backups(): string {
    return `${this.path}/backups`;
  }

  get work(): string {
    return `${this.path}/work`;
  }

  /** Runs a backup of what the options choose to its end. */
  async backUp(job: string, options: string, conditions: Conditions = {}): Promise<Ended> {
    const { level = "F", folder = this.backups } = conditions;
    return await this.#run(["backup", "--to", folder, "--job", job, "--level", level], options, conditions);
  }

  /** Runs a restore of the newest job, or the named one, to its end. */
  async restore(options: string, conditions: Conditions & { readonly job?: string } = {}): Promise<Ended> {
    const { job, folder = this.backups } = conditions;
    const args = ["restore", "--from", folder, ...job === undefined ? [] : ["--job", job]];
    return await this.#run(args, options, conditions);
  }

  /** Holds a command to have failed with a sentence and a remedy, and without leaving a job or an unfinished file. */
  assertFailed({ code, text }: Ended, said: RegExp, jobs: readonly string[], what: string): void {
    assert.notEqual(code, 0, `${what}: ${text}`);
    assert.match(text, said, what);
    assert.doesNotMatch(text, /^\s+at /m, `${what}: a stack trace`);
    assert.deepEqual(this.jobs(), [...jobs].sort(), what);
    assert.deepEqual(
      namesIn(this.work).filter((name) => !/-(stats|tip)\.json(\.lock)?$/.test(name)),
      [],
      what,
    );
  }

  /** Names of what is in the folder of backups, finished or not. */
  jobs(): string[] {
    return namesIn(this.backups).filter((name) => !name.startsWith(".lock"));
  }

  async #run(
    args: string[],
    options: string,
    { prelude = "", backend = this.#backend, work = this.work }: Conditions,
  ): Promise<Ended> {
    const command = `podheitor-mongodb: uri_file=${this.#uriFile} resource=r ${options}`;
    const child = new Deno.Command("sh", {
      args: ["-c", `${prelude}\nexec "$0" "$@"`, backend, ...args, "--working-dir", work, command],
      env: { PODHEITOR_MONGODB_SIGNING_KEY: signingKey, PODHEITOR_MONGODB_USER: "root" },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    });
    const { code, stdout, stderr } = await child.output();
    const text = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)).join("\n");
    this.#said.push(text);
    return { code, text };
  }

  /** Before all is removed: what the commands know and must keep is nowhere in what they have left or said. */
  async [Symbol.asyncDispose](): Promise<void> {
    await using _resources = this.#resources;
    const found = await findCanary([this.path], { "what commands said": this.#said.join("\n") });
    assert.deepEqual(found, [], "a secret was given away");
  }
}

function namesIn(path: string): string[] {
  return [...Deno.readDirSync(path)].map(({ name }) => name).sort();
}
