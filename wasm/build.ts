/**
 * Rebuilds `wasm/pkg/` from the Rust sources: `deno task wasm`, or `deno task wasm --check` to compare with what is committed.
 *
 * Exit status: 0 built or identical, 1 different or failed, 2 the toolchain can't be had here.
 *
 * The compiler's own library for WebAssembly is built once from Debian's source package of the very same version. The path of that source
 * enters the names of symbols, and so the module's bytes: hence the fixed folder below.
 *
 * @module
 */

const prefix = "/var/tmp/podheitor-wasm";
const here = import.meta.dirname!;
const moduleName = "podheitor_mongodb_wasm";
const target = "wasm32-unknown-unknown";
const cargoHome = Deno.env.get("CARGO_HOME") ?? `${Deno.env.get("HOME")}/.cargo`;

/** Something that this machine lacks, in one sentence. */
class Unavailable extends Error {}

async function main(check: boolean): Promise<number> {
  const rustc = await findCompiler();
  const sysroot = `${prefix}/sysroot-${rustc.version}`;
  if (!await exists(`${sysroot}/.complete`)) await buildSysroot(rustc, sysroot);
  const out = await Deno.makeTempDir({ prefix: "podheitor-wasm-" });
  try {
    await buildModule(rustc, sysroot, out);
    if (check) return await compare(out, `${here}/pkg`);
    await Deno.mkdir(`${here}/pkg`, { recursive: true });
    for (const { name } of Deno.readDirSync(out)) await Deno.copyFile(`${out}/${name}`, `${here}/pkg/${name}`);
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
  let verbose: string;
  try {
    verbose = await run("rustc", ["-vV"]);
  } catch {
    throw new Unavailable("The WASM module can't be rebuilt here: no rustc; install Rust 1.95.0 with cargo");
  }
  const version = /^release: (\S+)$/m.exec(verbose)?.[1] ?? "";
  const host = /^host: (\S+)$/m.exec(verbose)?.[1] ?? "";
  const wanted = (await Deno.readTextFile(`${here}/rust-version`)).trim();
  if (version !== wanted) {
    throw new Unavailable(`The WASM module can't be rebuilt here: rustc is ${version}, the committed module was made by ${wanted}`);
  }
  return { version, host, sysroot: (await run("rustc", ["--print", "sysroot"])).trim() };
}

/** Builds the compiler's library for WebAssembly from Debian's `rust-src` of the same version. */
async function buildSysroot({ version, sysroot: hostSysroot, host }: Compiler, sysroot: string): Promise<void> {
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
  await run("cargo", ["build", "-q", "--release", "--target", target, "-Zbuild-std=std,panic_abort"], {
    cwd: crate,
    env: {
      RUSTC_BOOTSTRAP: "1",
      __CARGO_TESTS_ONLY_SRC_ROOT: `${source}/library`,
      RUSTFLAGS: `--remap-path-prefix=${source}/library=/rust/library --remap-path-prefix=${cargoHome}=/cargo ` +
        `--remap-path-prefix=${crate}=/empty -Cembed-bitcode=yes -Cdebuginfo=0`,
    },
  });
  const libraries = `${sysroot}/lib/rustlib/${target}/lib`;
  await Deno.mkdir(libraries, { recursive: true });
  const built = `${crate}/target/${target}/release/deps`;
  for (const { name } of Deno.readDirSync(built)) {
    if (name.endsWith(".rlib") && !name.startsWith("libempty-")) await Deno.copyFile(`${built}/${name}`, `${libraries}/${name}`);
  }
  if (!await exists(`${sysroot}/lib/rustlib/${host}`)) {
    await Deno.symlink(`${hostSysroot}/lib/rustlib/${host}`, `${sysroot}/lib/rustlib/${host}`);
  }
  await Deno.remove(crate, { recursive: true });
  await Deno.writeTextFile(`${sysroot}/.complete`, "");
}

/** Unpacks the library's source by the machine's own package client, from a later suite of the machine's own mirror. */
async function fetchLibrarySource(version: string, folder: string): Promise<void> {
  const apt = `${prefix}/apt`;
  await run("sh", ["-c", fetchScript], { env: { APT: apt, VERSION: version, FOLDER: folder } }).catch((cause) => {
    throw new Unavailable(
      `The WASM module can't be rebuilt here: Debian's rust-src ${version} can't be fetched by apt-get (${
        cause instanceof Error ? cause.message.trim().split("\n").at(-1) : cause
      })`,
    );
  });
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

async function buildModule({ sysroot: hostSysroot }: Compiler, sysroot: string, out: string): Promise<void> {
  const targetDir = `${prefix}/target`;
  await Deno.mkdir(`${prefix}/bin`, { recursive: true });
  await Deno.writeTextFile(`${prefix}/bin/rustc`, `#!/bin/sh\nexec ${hostSysroot}/bin/rustc --sysroot ${sysroot} "$@"\n`);
  await Deno.chmod(`${prefix}/bin/rustc`, 0o755);
  await run("cargo", ["build", "-q", "--release", "--locked", "--target", target, "--target-dir", targetDir], {
    cwd: here,
    env: {
      RUSTC: `${prefix}/bin/rustc`,
      RUSTFLAGS: `-Ctarget-feature=+simd128 --remap-path-prefix=${here}=/wasm --remap-path-prefix=${cargoHome}=/cargo`,
    },
  });
  await run("cargo", ["build", "-q", "--release", "--locked", "--target-dir", `${prefix}/bindgen`], { cwd: `${here}/bindgen` });
  await run(`${prefix}/bindgen/release/bindgen`, [`${targetDir}/${target}/release/${moduleName}.wasm`, out]);
}

async function compare(built: string, committed: string): Promise<number> {
  let different = 0;
  const names = new Set([...Deno.readDirSync(built), ...Deno.readDirSync(committed)].map(({ name }) => name));
  for (const name of [...names].sort()) {
    const [a, b] = await Promise.all([built, committed].map((folder) => Deno.readFile(`${folder}/${name}`).catch(() => null)));
    const same = a != null && b != null && a.length === b.length && a.every((byte, at) => byte === b[at]);
    console.error(`${same ? "identical" : "DIFFERENT"}  wasm/pkg/${name}`);
    if (!same) different = 1;
  }
  return different;
}

async function run(program: string, args: string[], options: { cwd?: string; env?: Record<string, string> } = {}): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, { args, stdin: "null", ...options }).output();
  if (!success) throw new Error(`${program} ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

if (import.meta.main) {
  try {
    Deno.exit(await main(Deno.args.includes("--check")));
  } catch (cause) {
    console.error(cause instanceof Error ? cause.message : cause);
    Deno.exit(cause instanceof Unavailable ? 2 : 1);
  }
}
