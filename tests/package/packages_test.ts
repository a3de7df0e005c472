/** The packages: the same bytes wherever they are made, what is in them, and what their signatures refuse. */

import assert from "node:assert/strict";
import { program } from "../../backend/version.ts";
import { executables } from "../../packaging/executables.ts";
import type { Packages } from "../../packaging/package.ts";
import { type Architecture, findTarget, ownTarget } from "../../packaging/target.ts";
import { commandsOf } from "../documents/register.ts";
import { run } from "../lab/command.ts";
import { ScratchFolder } from "../lab/daemon.ts";
import { ensureTools } from "../lab/tools.ts";
import { checkBillOfMaterials } from "./bill_of_materials.ts";
import { runEmulated } from "./emulated.ts";
import { checkSignatures } from "./signatures.ts";

const checkout = new URL("../..", import.meta.url).pathname.replace(/\/$/, "");
const architectures = ["amd64", "arm64"] as const;
const release = { SOURCE_DATE_EPOCH: "1790000000", LC_ALL: "C.UTF-8" };

Deno.test("packages", async (t) => {
  await ensureTools(["git", "cpio", "gpg", "gpgv", "rpmbuild", "rpmsign", "lintian", "rpmlint"]);
  await using scratch = await ScratchFolder.make("package");
  const folder = `${scratch.path}/one`;

  await t.step("two builds in two places have the same bytes", async () => {
    const another = `${scratch.path}/another/and/deeper`;
    await makeElsewhere(folder, { TZ: "UTC" });
    await makeElsewhere(another, { TZ: "Asia/Tokyo" });
    const sums = (place: string) => Deno.readTextFile(`${place}/dist/SHA256SUMS`);
    assert.equal((await sums(folder)).match(/\.(deb|rpm)$/gm)?.length, 4);
    assert.equal(await sums(folder), await sums(another));
    await run("sha256sum", ["--check", "--quiet", "SHA256SUMS"], { cwd: `${folder}/dist` });
  });

  for (const architecture of architectures) {
    await t.step(architecture, async (t) => {
      await checkPackages(
        t,
        packagesIn(folder, architecture),
        architecture,
        `${scratch.path}/${architecture}`,
      );
    });
  }

  await t.step(
    "what is changed or unsigned is refused by the documented commands",
    () => checkSignatures(packagesIn(folder, "amd64"), `${scratch.path}/signed`),
  );

  await t.step(
    "what is for arm64 runs there: Bacula's File Daemon with the plugin, the backend and the exporter",
    () => runEmulated(`${scratch.path}/arm64/root`),
  );
});

/** Looks at both packages of a processor, with the new folder `work`, below which `root` then has what is in them. */
async function checkPackages(
  t: Deno.TestContext,
  made: Packages,
  architecture: Architecture,
  work: string,
): Promise<void> {
  const root = `${work}/root`;
  const { machine } = findTarget(architecture);
  await Deno.mkdir(work);

  await t.step("both say the processor", async () => {
    assert.equal((await run("dpkg-deb", ["-f", made.deb, "Architecture"])).trim(), architecture);
    assert.equal(await run("rpm", ["-qp", "--qf", "%{ARCH}", made.rpm]), machine);
  });

  await t.step("the DEB has what is promised, owned by root", async () => {
    await run("dpkg-deb", ["-x", made.deb, root]);
    const rows = (await run("dpkg-deb", ["-c", made.deb])).trim().split("\n").map((line) => {
      const [mode = "", owner = "", , , , path = ""] = line.split(/\s+/);
      return { mode, owner, path: path.slice(1) };
    });
    assert.deepEqual(new Set(rows.map(({ owner }) => owner)), new Set(["root/root"]));
    const modes = new Map(rows.map(({ mode, path }) => [path, mode]));
    for (const [path, mode] of promised()) assert.equal(modes.get(path), mode, path);
    const others = rows.filter(({ mode, path }) =>
      path !== "/etc/podheitor/podheitor-mongodb.env" && !/^(drwxr-xr-x|-rwxr-xr-x|-rw-r--r--)$/.test(mode)
    );
    assert.deepEqual(others, []);
  });

  await t.step("the RPM has the same files with the same modes and bytes", async () => {
    const format = "[%{FILEMODES:perms} %{FILEUSERNAME}/%{FILEGROUPNAME} %{FILEDIGESTS} %{FILENAMES}\n]";
    const rows = (await run("rpm", ["-qp", "--qf", format, made.rpm])).trim().split("\n")
      .filter((line) => line.startsWith("-")).sort();
    const wanted: string[] = [];
    for (const path of await filesBelow(root)) {
      if (/^\/usr\/share\/(lintian\/|.*\/changelog\.Debian\.gz)/.test(path)) continue;
      const mode = (Deno.statSync(`${root}${path}`).mode ?? 0) & 0o777;
      const text = { 0o755: "-rwxr-xr-x", 0o644: "-rw-r--r--", 0o600: "-rw-------" }[mode];
      wanted.push(`${text} root/root ${await digest(`${root}${path}`)} ${path}`);
    }
    assert.deepEqual(rows, wanted.sort());
  });

  await t.step("configuration is the operator's in both", async () => {
    const wanted = (await filesBelow(root)).filter((path) => path.startsWith("/etc/")).join("\n");
    assert.equal((await run("dpkg-deb", ["-I", made.deb, "conffiles"])).trim(), wanted);
    assert.equal((await run("rpm", ["-qp", "--configfiles", made.rpm])).trim(), wanted);
  });

  await t.step("the DEB's own sums are true", async () => {
    await run("dpkg-deb", ["-e", made.deb, `${work}/control`]);
    await run("md5sum", ["--check", "--quiet", `${work}/control/md5sums`], { cwd: root });
  });

  await t.step("what runs is shipped, and says its version where it can be asked", async () => {
    if (architecture !== ownTarget.architecture) return;
    const runtime = `${root}/opt/bacula/lib/podheitor-mongodb`;
    for (const { name } of executables) {
      const said = await run(`${runtime}/deno`, [
        "run",
        "--no-config",
        "--ignore-env",
        `${runtime}/${name}.js`,
        "--version",
      ]);
      assert.match(said, new RegExp(`^${name} \\d+\\.\\d+\\.\\d+\n$`));
    }
  });

  await t.step(
    "the bill of materials names all that is bundled, with licences",
    () => checkBillOfMaterials(root),
  );

  await t.step("lintian and rpmlint find nothing that isn't explained", async () => {
    assert.equal(await run("lintian", ["--allow-root", "--fail-on", "error,warning", made.deb]), "");
    await run("rpmlint", ["-c", `${checkout}/packaging/rpm/rpmlint.toml`, "--strict", made.rpm]);
  });
}

/** Paths that the documentation names, with their modes. */
function promised(): [string, string][] {
  const runtime = "/opt/bacula/lib/podheitor-mongodb";
  const documents = "/usr/share/doc/podheitor-mongodb";
  return [
    ["/opt/bacula/plugins/podheitor-mongodb-fd.so", "-rw-r--r--"],
    ...executables.map((
      { name },
    ): [string, string] => [`/opt/bacula/bin/${name}`, "-rwxr-xr-x"]),
    [`${runtime}/deno`, "-rwxr-xr-x"],
    [`${runtime}/verify-artifacts.sh`, "-rwxr-xr-x"],
    ...["roles/backup.js", "roles/restore.js"].map((
      name,
    ): [string, string] => [`${runtime}/${name}`, "-rw-r--r--"]),
    ["/etc/podheitor/podheitor-mongodb.env", "-rw-------"],
    ["/etc/podheitor/podheitor-mongodb-exporter.env", "-rw-r--r--"],
    ["/usr/lib/systemd/system/podheitor-mongodb-exporter.service", "-rw-r--r--"],
    ...[
      "README.md",
      "REFERENCE.md",
      "copyright",
      "sbom.spdx.json",
      "examples/backup.conf",
      "examples/restore.conf",
      "examples/podheitor-mongodb.rules.yml",
      "examples/podheitor-mongodb.json",
    ]
      .map((name): [string, string] => [`${documents}/${name}`, "-rw-r--r--"]),
  ];
}

/** Makes all packages in a copy of the checkout, as somebody else would. */
async function makeElsewhere(copy: string, zone: { TZ: string }): Promise<void> {
  await Deno.mkdir(copy, { recursive: true });
  const listed = await run("git", [
    "-c",
    `safe.directory=${checkout}`,
    "ls-files",
    "-z",
    "--cached",
    "--others",
    "--exclude-standard",
  ], {
    cwd: checkout,
  });
  await run("cpio", ["--null", "--pass-through", "--make-directories", "--quiet", copy], {
    cwd: checkout,
    input: listed,
  });
  const env = {
    ...release,
    ...zone,
    PODHEITOR_CACHE: Deno.env.get("PODHEITOR_CACHE") || `${checkout}/.cache`,
  };
  const [documented] = await commandsOf("tests/package/packages_test.ts");
  const [deno, ...args] = documented!.text.split(" ");
  assert.equal(deno, "deno");
  const chosen = architectures.flatMap((architecture) => ["--arch", architecture]);
  await run(Deno.execPath(), [...args, ...chosen], { cwd: copy, env });
}

function packagesIn(copy: string, architecture: Architecture): Packages {
  const { version } = program;
  return {
    deb: `${copy}/dist/podheitor-mongodb_${version}-1_${architecture}.deb`,
    rpm: `${copy}/dist/podheitor-mongodb-${version}-1.${findTarget(architecture).machine}.rpm`,
  };
}

async function digest(path: string): Promise<string> {
  return (await run("sha256sum", [path])).split(" ", 1)[0]!;
}

/** Paths of all files below a folder, from it. */
async function filesBelow(root: string): Promise<string[]> {
  const found = await run("find", [root, "-type", "f", "-printf", "/%P\\n"]);
  return found.trim().split("\n").sort();
}
