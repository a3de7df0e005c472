/**
 * Rebuilds `wasm/pkg/` from the Rust sources: `deno task wasm`, or `deno task wasm --check` to compare with what is committed.
 *
 * Exit status: 0 built or identical, 1 different or failed, 2 the toolchain can't be had here.
 *
 * What is made on the way stays in `/var/tmp/podheitor-wasm`, which must belong to the user who builds. Two builds wait for each other.
 *
 * The compiler's own library for WebAssembly is built once from Debian's source package of the very same version. The path of that source
 * enters the names of symbols, and so the module's bytes: hence the fixed folder below.
 *
 * @module
 */

import { parseArgs } from "node:util";

const prefix = "/var/tmp/podheitor-wasm";
const here = import.meta.dirname!;
const moduleName = "podheitor_mongodb_wasm";
const target = "wasm32-unknown-unknown";
const cargoHome = Deno.env.get("CARGO_HOME") ?? `${Deno.env.get("HOME")}/.cargo`;

/** Something that this machine lacks. */
class Unavailable extends Error {
  constructor(lack: string) {
    super(`The WASM module can't be rebuilt here: ${lack}`);
  }
}

async function main(check: boolean): Promise<number> {
  const rustc = await findCompiler();
  using _lock = await lockPrefix();
  await forbidRustup();
  const sysroot = `${prefix}/sysroot-${rustc.version}`;
  if (!await exists(`${sysroot}/.complete`)) await buildSysroot(rustc, sysroot);
  const out = await Deno.makeTempDir({ prefix: "podheitor-wasm-" });
  try {
    await buildModule(rustc, sysroot, out);
    if (check) return await compare(out, `${here}/pkg`);
    await install(out, `${here}/pkg`);
    return 0;
  } finally {
    await Deno.remove(out, { recursive: true });
  }
}

interface Compiler {
  readonly version: string;
  readonly sysroot: string;
  readonly host: string;
}

async function findCompiler(): Promise<Compiler> {
  const wanted = (await Deno.readTextFile(`${here}/rust-version`)).trim();
  // Where rustc is rustup's stand-in, it must not download the compiler that it lacks.
  const env = { RUSTUP_AUTO_INSTALL: "0" };
  const verbose = await run("rustc", ["-vV"], { env }).catch((cause) => {
    throw new Unavailable(`rustc doesn't run (${firstLine(cause)}); install Rust ${wanted} with cargo`);
  });
  const version = /^release: (\S+)$/m.exec(verbose)?.[1] ?? "";
  const host = /^host: (\S+)$/m.exec(verbose)?.[1] ?? "";
  if (version !== wanted) {
    throw new Unavailable(`rustc is ${version}, the committed module was made by ${wanted}`);
  }
  const sysroot = (await run("rustc", ["--print", "sysroot"], { env })).trim();
  if (!await exists(`${sysroot}/bin/cargo`)) throw new Unavailable(`rustc ${version} has no cargo beside it`);
  return { version, host, sysroot };
}

/** Makes the shared folder and holds it until disposed. Whoever else could write there could change what is built. */
async function lockPrefix(): Promise<Deno.FsFile> {
  await Deno.mkdir(prefix, { mode: 0o700 }).catch((cause) => {
    if (!(cause instanceof Deno.errors.AlreadyExists)) throw cause;
  });
  const { isDirectory, uid, mode } = await Deno.lstat(prefix);
  if (!isDirectory || uid !== Deno.uid() || ((mode ?? 0o022) & 0o022) !== 0) {
    throw new Unavailable(`${prefix} isn't a folder that only this user can write to`);
  }
  const lock = await Deno.open(`${prefix}/lock`, { create: true, write: true });
  await lock.lock(true);
  return lock;
}

/** Puts a `rustup` before the real one: tools like to call it for a target that they miss, and it downloads. */
async function forbidRustup(): Promise<void> {
  await Deno.mkdir(`${prefix}/guard`, { recursive: true });
  await Deno.writeTextFile(
    `${prefix}/guard/rustup`,
    "#!/bin/sh\necho 'rustup is not used in this build' >&2\nexit 97\n",
  );
  await Deno.chmod(`${prefix}/guard/rustup`, 0o755);
}

/**
 * Calls the compiler's own cargo, crates first: without a network it is they that are missing.
 *
 * @param rustFlags flags of the target's crates; a list of its own, because paths may hold spaces
 */
async function cargoBuild(
  { sysroot }: Compiler,
  folder: string,
  options: { args: string[]; rustFlags: string[]; cratesOf?: string; env?: Record<string, string> },
): Promise<void> {
  const env = {
    ...options.env,
    PATH: `${prefix}/guard:${sysroot}/bin:${Deno.env.get("PATH")}`,
    RUSTC: `${sysroot}/bin/rustc`,
    CARGO_ENCODED_RUSTFLAGS: options.rustFlags.join("\x1f"),
  };
  const cargo = `${sysroot}/bin/cargo`;
  await run(cargo, ["fetch", "-q", "--locked"], { cwd: options.cratesOf ?? folder, env }).catch((cause) => {
    if (`${cause}`.includes("--locked")) throw cause;
    throw new Unavailable(`cargo can't fetch the crates (${firstLine(cause)})`);
  });
  await run(cargo, ["build", "-q", "--release", ...options.args], { cwd: folder, env });
}

/** Builds the compiler's library for WebAssembly from Debian's `rust-src` of the same version. */
async function buildSysroot(rustc: Compiler, sysroot: string): Promise<void> {
  const { version, host } = rustc;
  console.error(`Building the standard library of Rust ${version} for WebAssembly (once, about a minute)`);
  const source = `${prefix}/rust-src-${version}`;
  await fetchLibrarySource(version, source);
  const crate = `${prefix}/empty`;
  await Deno.mkdir(`${crate}/src`, { recursive: true });
  await Deno.writeTextFile(`${crate}/src/lib.rs`, "#![no_std]\n");
  await Deno.writeTextFile(
    `${crate}/Cargo.toml`,
    `[package]\nname = "empty"\nversion = "0.0.0"\nedition = "2021"\n[profile.release]\npanic = "abort"\n`,
  );
  await cargoBuild(rustc, crate, {
    args: ["--target", target, "-Zbuild-std=std,panic_abort"],
    rustFlags: [
      `--remap-path-prefix=${source}/library=/rust/library`,
      `--remap-path-prefix=${cargoHome}=/cargo`,
      `--remap-path-prefix=${crate}=/empty`,
      "-Cembed-bitcode=yes",
      "-Cdebuginfo=0",
    ],
    cratesOf: `${source}/library`,
    env: { RUSTC_BOOTSTRAP: "1", __CARGO_TESTS_ONLY_SRC_ROOT: `${source}/library` },
  });
  const libraries = `${sysroot}/lib/rustlib/${target}/lib`;
  await Deno.mkdir(libraries, { recursive: true });
  const built = `${crate}/target/${target}/release/deps`;
  for (const { name } of Deno.readDirSync(built)) {
    if (name.endsWith(".rlib") && !name.startsWith("libempty-")) {
      await Deno.copyFile(`${built}/${name}`, `${libraries}/${name}`);
    }
  }
  if (!await exists(`${sysroot}/lib/rustlib/${host}`)) {
    await Deno.symlink(`${rustc.sysroot}/lib/rustlib/${host}`, `${sysroot}/lib/rustlib/${host}`);
  }
  await Deno.remove(crate, { recursive: true });
  await Deno.writeTextFile(`${sysroot}/.complete`, "");
}

/** Unpacks the library's source by the machine's own package client, from a later suite of the machine's own mirror. */
async function fetchLibrarySource(version: string, folder: string): Promise<void> {
  const apt = `${prefix}/apt`;
  await run("sh", ["-c", fetchScript], { env: { APT: apt, VERSION: version, FOLDER: folder } }).catch(
    (cause) => {
      throw new Unavailable(`apt-get can't fetch Debian's rust-src ${version} (${firstLine(cause)})`);
    },
  );
}

const fetchScript = `set -eu
mirror=$(awk '/^URIs:/ {print $2; exit}' /etc/apt/sources.list.d/debian.sources 2>/dev/null || true)
[ -n "$mirror" ] || mirror=$(awk '$1=="deb" {print $2; exit}' /etc/apt/sources.list)
rm -rf "$APT" "$FOLDER"; mkdir -p "$APT/lists/partial" "$APT/cache/archives/partial" "$FOLDER"
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror trixie-backports main" > "$APT/sources.list"
set -- -o Dir::Etc::sourcelist="$APT/sources.list" -o Dir::Etc::sourceparts=/dev/null -o Dir::State::lists="$APT/lists" \\
  -o Dir::Cache="$APT/cache" -o APT::Sandbox::User=root
apt-get "$@" -qq update
package=$(apt-cache "$@" madison rust-src | awk -v v="$VERSION+" 'index($3, v) == 1 {print $3; exit}')
[ -n "$package" ] || { echo "no such version in trixie-backports" >&2; exit 1; }
cd "$APT"; apt-get "$@" -qq download "rust-src=$package"
dpkg-deb --fsys-tarfile rust-src_*.deb | tar -x -C "$FOLDER" --strip-components=4 "./usr/src/rustc-$VERSION/library"
cd /; rm -rf "$APT"
`;

async function buildModule(rustc: Compiler, sysroot: string, out: string): Promise<void> {
  const targetDir = `${prefix}/target`;
  await cargoBuild(rustc, here, {
    args: ["--locked", "--target", target, "--target-dir", targetDir],
    rustFlags: [
      `--sysroot=${sysroot}`,
      "-Ctarget-feature=+simd128,+relaxed-simd",
      `--remap-path-prefix=${here}=/wasm`,
      `--remap-path-prefix=${cargoHome}=/cargo`,
    ],
  });
  await cargoBuild(rustc, `${here}/bindgen`, {
    args: ["--locked", "--target-dir", `${prefix}/bindgen`],
    rustFlags: [],
  });
  await run(`${prefix}/bindgen/release/bindgen`, [`${targetDir}/${target}/release/${moduleName}.wasm`, out]);
}

/** Copies what was built, and removes what isn't built any more. */
async function install(built: string, committed: string): Promise<void> {
  await Deno.mkdir(committed, { recursive: true });
  const names = [...Deno.readDirSync(built)].map(({ name }) => name);
  for (const name of names) await Deno.copyFile(`${built}/${name}`, `${committed}/${name}`);
  for (const { name } of [...Deno.readDirSync(committed)]) {
    if (!names.includes(name)) await Deno.remove(`${committed}/${name}`);
  }
}

async function compare(built: string, committed: string): Promise<number> {
  let different = 0;
  const names = new Set([...Deno.readDirSync(built), ...Deno.readDirSync(committed)].map(({ name }) => name));
  for (const name of [...names].sort()) {
    const [a, b] = await Promise.all(
      [built, committed].map((folder) => Deno.readFile(`${folder}/${name}`).catch(() => null)),
    );
    const same = a != null && b != null && a.length === b.length && a.every((byte, at) => byte === b[at]);
    console.error(`${same ? "identical" : "DIFFERENT"}  wasm/pkg/${name}`);
    if (!same) different = 1;
  }
  return different;
}

async function run(
  program: string,
  args: string[],
  options: { cwd?: string; env?: Record<string, string> } = {},
): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, { args, stdin: "null", ...options })
    .output();
  if (!success) {
    throw new Error(new TextDecoder().decode(stderr).trim() || `${program} ${args.join(" ")} failed`);
  }
  return new TextDecoder().decode(stdout);
}

function firstLine(cause: unknown): string {
  return (cause instanceof Error ? cause.message : `${cause}`).split("\n", 1)[0]!;
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

if (import.meta.main) {
  try {
    const { values } = parseArgs({
      args: Deno.args,
      options: { check: { type: "boolean", default: false } },
    });
    Deno.exit(await main(values.check));
  } catch (cause) {
    console.error(cause instanceof Error ? cause.message : cause);
    Deno.exit(cause instanceof Unavailable ? 2 : 1);
  }
}
