/**
 * Programs of the machine that the tests need: found, or installed by root, or named in one sentence.
 *
 * @module
 */

import { withProgress } from "./cache.ts";
import { isOnPath, run } from "./command.ts";
import { emulator } from "./emulator.ts";

interface Tool {
  isPresent(): Promise<boolean>;
  /** Names of the Debian packages that bring it. */
  packages(): Promise<string[]>;
}

const tools = {
  gcc: program("gcc", "gcc", "libc6-dev"),
  make: program("make", "make"),
  "gcc-amd64": program("x86_64-linux-gnu-gcc", "gcc-x86-64-linux-gnu", "libc6-dev-amd64-cross"),
  "gcc-arm64": program("aarch64-linux-gnu-gcc", "gcc-aarch64-linux-gnu", "libc6-dev-arm64-cross"),
  /** A C library that may be part of a program; what launchers are linked with. */
  musl: {
    isPresent: () => isFile(`/usr/lib/${Deno.build.arch}-linux-musl/libc.a`),
    packages: () => Promise.resolve(["musl-dev"]),
  },
  /** Runs programs for arm64, with the C library that the tool gcc-arm64 brings. */
  "qemu-arm64": program(emulator, "qemu-user-static"),
  clang: program("clang", "clang", "libc6-dev"),
  /** clang's sanitizers and fuzzer, which are a package of their own for each version of clang. */
  "clang-runtime": {
    isPresent: hasClangRuntime,
    packages: async () => [`libclang-rt-${await clangMajor()}-dev`],
  },
  b3sum: program("b3sum", "b3sum"),
  "systemd-nspawn": program("systemd-nspawn", "systemd-container"),
  promtool: program("promtool", "prometheus"),
  objdump: program("objdump", "binutils"),
  git: program("git", "git"),
  cpio: program("cpio", "cpio"),
  npm: program("npm", "npm"),
  "dpkg-deb": program("dpkg-deb", "dpkg"),
  rpmbuild: program("rpmbuild", "rpm"),
  rpmsign: program("rpmsign", "rpm"),
  gpg: program("gpg", "gnupg"),
  gpgv: program("gpgv", "gpgv"),
  podman: program("podman", "podman", "netavark", "aardvark-dns"),
  runc: program("runc", "runc"),
  mmdebstrap: program("mmdebstrap", "mmdebstrap"),
  lintian: program("lintian", "lintian"),
  rpmlint: program("rpmlint", "rpmlint"),
  openssl: program("openssl", "openssl"),
  dnsmasq: program("dnsmasq", "dnsmasq-base"),
  go: program("go", "golang-go"),
  shellcheck: program("shellcheck", "shellcheck"),
  /** With a font, which Debian's chromium needn't have. */
  chromium: program("chromium", "chromium", "fonts-dejavu-core"),
  groff: program("groff", "groff"),
  man: program("man", "man-db"),
  php: program("php", "php-cli"),
  pip: { isPresent: hasPip, packages: () => Promise.resolve(["python3-pip"]) },
  /** A shared library that MongoDB's own builds of mongod load. */
  libcurl4: { isPresent: hasLibcurl, packages: () => Promise.resolve(["libcurl4"]) },
} as const satisfies Record<string, Tool>;

/** A tool that {@linkcode ensureTools} knows. */
export type ToolName = keyof typeof tools;

/**
 * Makes sure that the machine has the tools, in the given order (`clang` before `clang-runtime`). What is missing is installed where this
 * process is root.
 *
 * @throws Error with one sentence that names the packages to install
 */
export async function ensureTools(names: readonly ToolName[]): Promise<void> {
  for (const name of names) {
    const tool: Tool = tools[name];
    if (await tool.isPresent()) continue;
    const packages = await tool.packages();
    await install(name, packages);
    if (!await tool.isPresent()) {
      throw new Error(`${name} is still missing after installing ${packages.join(" ")}`);
    }
  }
}

async function install(name: string, packages: string[]): Promise<void> {
  const sentence = `The tests need ${name}: install the package${packages.length > 1 ? "s" : ""} ${
    packages.join(" and ")
  }`;
  if (Deno.uid() !== 0 || !await isOnPath("apt-get")) throw new Error(sentence);
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  const args = ["install", "-y", "-q", "--no-install-recommends", ...packages];
  await withProgress(`installing ${packages.join(" ")}, as this machine has no ${name}`, async () => {
    // The lists may be missing or name versions that the mirror has since replaced.
    await run("apt-get", args, { env })
      .catch(() => run("apt-get", ["update", "-q"], { env }).then(() => run("apt-get", args, { env })))
      .catch((cause) => {
        throw new Error(sentence, { cause });
      });
  });
}

function program(name: string, ...packages: string[]): Tool {
  return { isPresent: () => isOnPath(name), packages: () => Promise.resolve(packages) };
}

async function isFile(path: string): Promise<boolean> {
  return await Deno.stat(path).then((found) => found.isFile, () => false);
}

async function hasClangRuntime(): Promise<boolean> {
  const library = await run("clang", [`-print-file-name=libclang_rt.asan-${Deno.build.arch}.a`]).catch(() =>
    ""
  );
  return library.trim().startsWith("/");
}

async function clangMajor(): Promise<string> {
  const major = /version (\d+)/.exec(await run("clang", ["--version"]))?.[1];
  if (major === undefined) throw new Error("clang --version doesn't say a version");
  return major;
}

async function hasPip(): Promise<boolean> {
  return await run("python3", ["-m", "pip", "--version"]).then(() => true, () => false);
}

async function hasLibcurl(): Promise<boolean> {
  return (await run("/sbin/ldconfig", ["-p"])).includes("libcurl.so.4 ");
}
