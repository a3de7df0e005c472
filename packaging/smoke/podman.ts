/**
 * Images and containers, by podman.
 *
 * @module
 */

import { cached } from "../../tests/lab/cache.ts";
import { run } from "../../tests/lab/command.ts";
import { ensureTools } from "../../tests/lab/tools.ts";
import { type Image, type ImageName, images } from "./images.ts";

/** runc, few rights and no cgroups of its own: so that it also works inside of a container or a small virtual machine. */
const settings = `[containers]
default_ulimits = ["nofile=1024:4096", "nproc=4096:4096"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
`;

/** Containers with the same settings. */
export class Podman {
  readonly #env: Record<string, string>;

  private constructor(settingsPath: string) {
    this.#env = { CONTAINERS_CONF: settingsPath };
  }

  /** @param folder where its settings are kept */
  static async prepare(folder: string): Promise<Podman> {
    await ensureTools(["podman", "runc"]);
    const path = `${folder}/containers.conf`;
    await Deno.writeTextFile(path, settings);
    return new Podman(path);
  }

  /** Gets an image, and returns podman's name of it. */
  async image(name: ImageName): Promise<string> {
    const { from }: Image = images[name];
    if ("pull" in from) {
      await run("podman", ["pull", "--quiet", from.pull], { env: this.#env });
      return from.pull;
    }
    await ensureTools(["mmdebstrap"]);
    const rootfs = await cached(
      ["rootfs", from.suite, ...from.include ?? []].join("-"),
      `making a Debian ${from.suite} of its packages`,
      (folder) => bootstrap(from, `${folder}/rootfs.tar`),
    );
    const tag = `localhost/podheitor-${name}`;
    await run("podman", ["import", "--quiet", `${rootfs}/rootfs.tar`, tag], { env: this.#env });
    return tag;
  }

  /** Runs a shell's script in a new container that shares the machine's network, and returns what it printed. */
  async run(
    image: string,
    script: string,
    folders: Record<string, string>,
    variables: Record<string, string>,
  ) {
    return await run("podman", [
      ...["run", "--rm", "--interactive", "--network=host"],
      ...Object.entries(folders).map(([inside, outside]) => `--volume=${outside}:${inside}:ro`),
      ...Object.entries(variables).map(([name, value]) => `--env=${name}=${value}`),
      ...[image, "sh", "-s"],
    ], { env: this.#env, input: script });
  }

  /** Starts a new container that shares the machine's network and does nothing but what it is told, until it is disposed of. */
  async start(image: string, folders: Record<string, string>): Promise<Container> {
    const id = await run("podman", [
      ...["run", "--rm", "--detach", "--network=host"],
      ...Object.entries(folders).map(([inside, outside]) => `--volume=${outside}:${inside}:ro`),
      ...[image, "sleep", "infinity"],
    ], { env: this.#env });
    return new Container(id.trim(), this.#env);
  }
}

/** A container that runs. */
export class Container implements AsyncDisposable {
  readonly #id: string;
  readonly #env: Record<string, string>;

  /** @param env what podman is run with */
  constructor(id: string, env: Record<string, string>) {
    this.#id = id;
    this.#env = env;
  }

  /** Runs a script of bash as root, which ends at the first command that fails, and returns what it printed on either output. */
  async exec(script: string, variables: Record<string, string> = {}): Promise<string> {
    return await run("podman", [
      ...["exec", "--interactive"],
      ...Object.entries(variables).map(([name, value]) => `--env=${name}=${value}`),
      ...[this.#id, "bash", "-euo", "pipefail", "-c", "exec 2>&1; " + script],
    ], { env: this.#env });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await run("podman", ["kill", this.#id], { env: this.#env });
  }
}

async function bootstrap(from: { suite: string; include?: readonly string[]; rolling?: true }, tar: string) {
  const options = ["--mode=root", "--variant=minbase", "--quiet"];
  if (from.include !== undefined) options.push(`--include=${from.include.join(",")}`);
  // A suite that rolls is signed for a few days only; who made the signature is checked all the same.
  if (from.rolling) options.push('--aptopt=Acquire::Check-Valid-Until "false"');
  await run("mmdebstrap", [...options, from.suite, tar]);
}
