/** `packaging/verify-artifacts.sh`, and that the backend's own commands find the same. */

import assert from "node:assert/strict";
import { readFolderChains } from "../../backend/commands/chain.ts";
import { readSecretFile } from "../../backend/commands/machine.ts";
import { verifyFolders } from "../../backend/commands/verify.ts";
import { makeSigningKey, publicText, type SigningKey } from "../../backend/manifest/signature.ts";
import { loadTrustedKeys } from "../../backend/manifest/trusted_keys.ts";
import { isOnPath } from "../lab/command.ts";
import { withFolder } from "../lab/folder.ts";
import { ensureTools } from "../lab/tools.ts";
import { writeSignedJobs } from "./signed_folder.ts";

const script = new URL("../../packaging/verify-artifacts.sh", import.meta.url).pathname;
const createdAt = { full: "2026-03-01T00:00:00.000Z", inc: "2026-03-02T00:00:00.999Z" };
const { key } = await makeSigningKey();
const { key: stranger } = await makeSigningKey();
const line = await publicText(key.publicKey);
const orders = "full/@mongodb/rs0/app/orders.bson";
const manifest = "full/@mongodb/rs0/manifest.full.json";

/** Runs the script with a list of keys; resolves to its exit status and all that it says. */
async function audit(folder: string, keys: string, args: string[], env: Record<string, string> = {}) {
  await Deno.writeTextFile(`${folder}/keys`, keys);
  const options = { args: [script, "--keys", `${folder}/keys`, ...args], env };
  const { code, stdout, stderr } = await new Deno.Command("/bin/sh", options).output();
  return { code, said: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
}

/** Whether the backend's commands find anything in the jobs. */
async function backendFinds(folder: string): Promise<boolean> {
  const trust = { keys: await loadTrustedKeys(`${folder}/keys`, readSecretFile), allowUnsigned: false };
  const jobs = await verifyFolders(`${folder}/jobs`, trust);
  const chains = await readFolderChains(`${folder}/jobs`, trust);
  return jobs.some(({ findings }) => findings.length > 0) || chains.findings.length > 0;
}

async function change(path: string, edit: (text: string) => string): Promise<void> {
  const decoder = new TextDecoder("latin1");
  const text = edit(decoder.decode(await Deno.readFile(path)));
  await Deno.writeFile(path, Uint8Array.from(text, (letter) => letter.charCodeAt(0)));
}

const rows: {
  name: string;
  /** Null where all is well. */
  want: RegExp | null;
  keys?: string;
  signer?: SigningKey | null;
  damage?: (jobs: string) => Promise<void>;
}[] = [
  { name: "what was signed", want: null },
  {
    name: "a PEM in the list",
    keys: `-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA${line}\n-----END PUBLIC KEY-----\n`,
    want: null,
  },
  {
    name: "a key within its time",
    keys: `${line} not-before=2026-03-01 not-after=2026-03-02T00:00:00Z`,
    want: null,
  },
  {
    name: "two entries that share the time",
    keys: `${line} not-after=2026-03-01\n${line} not-before=2026-03-02 # later`,
    want: null,
  },
  {
    name: "a key not yet valid",
    keys: `${line} not-before=2026-03-02`,
    want: /full\.json: is of 2026-03-01T00:00:00Z, key \w{16} is trusted for manifests from 2026-03-02/,
  },
  {
    name: "a key no longer valid",
    keys: `${line} not-after=2026-03-01`,
    want: /inc\.json: is of 2026-03-02T00:00:00Z, key/,
  },
  {
    name: "a revoked key",
    keys: `${line}\n${line} revoked`,
    want: /is signed by key \w{16}, which is revoked/,
  },
  {
    name: "another key",
    signer: stranger,
    want: new RegExp(`signed by key ${stranger.id}, which is not trusted`),
  },
  { name: "no signature", signer: null, want: /is not signed/ },
  {
    name: "another key under the trusted one's id",
    signer: stranger,
    damage: (jobs) => change(`${jobs}/${manifest}`, (text) => text.replace(stranger.id, key.id)),
    want: /has a wrong signature/,
  },
  {
    name: "a changed manifest",
    damage: (jobs) => change(`${jobs}/${manifest}`, (text) => text.replace('"documents":2', '"documents":3')),
    want: /has another BLAKE3 than its seal says/,
  },
  {
    name: "a changed digest",
    damage: (jobs) =>
      change(`${jobs}/${manifest}`, (text) => `${text.slice(0, 11)}${"0".repeat(64)}${text.slice(75)}`),
    want: /has another BLAKE3 than its seal says/,
  },
  {
    name: "a manifest cut short",
    damage: (jobs) => change(`${jobs}/${manifest}`, (text) => text.slice(0, -1)),
    want: /is no sealed manifest/,
  },
  {
    name: "another manifest in the catalog's copy",
    damage: async (jobs) => {
      const [part] = await Array.fromAsync(Deno.readDir(`${jobs}/full/restore-objects`));
      await Deno.copyFile(
        `${jobs}/inc/@mongodb/rs0/manifest.inc.json`,
        `${jobs}/full/restore-objects/${part!.name}`,
      );
    },
    want: /restore-objects: holds another manifest/,
  },
  {
    name: "a changed segment",
    damage: (jobs) => change(`${jobs}/${orders}`, (text) => text.replace("orders", "0rders")),
    want: /orders\.bson: has another BLAKE3/,
  },
  {
    name: "a longer segment",
    damage: (jobs) => change(`${jobs}/${orders}`, (text) => `${text}x`),
    want: /orders\.bson: has \d+ bytes, the manifest says/,
  },
  {
    name: "a missing segment",
    damage: (jobs) => Deno.remove(`${jobs}/${orders}.00001`),
    want: /orders\.bson\.00001: is missing/,
  },
  {
    name: "a link in place of a segment",
    damage: async (jobs) => {
      await Deno.rename(`${jobs}/${orders}`, `${jobs}/elsewhere`);
      await Deno.symlink(`${jobs}/elsewhere`, `${jobs}/${orders}`);
    },
    want: /orders\.bson: is missing/,
  },
  {
    name: "an extra file",
    damage: (jobs) => Deno.writeTextFile(`${jobs}/full/@mongodb/rs0/app/extra.bson`, ""),
    want: /app\/extra\.bson: is in no manifest/,
  },
  { name: "no manifest", damage: (jobs) => Deno.remove(`${jobs}/${manifest}`), want: /holds no manifest/ },
  {
    name: "a missing Full",
    damage: (jobs) => Deno.remove(`${jobs}/full`, { recursive: true }),
    want: /inc\.json: continues job full, whose manifest is not here/,
  },
];

await ensureTools(["b3sum", "openssl"]);

for (const { name, want, keys = line, signer = key, damage } of rows) {
  Deno.test(`verify-artifacts.sh and the backend judge alike: ${name}`, () =>
    withFolder(async (folder) => {
      const jobs = `${folder}/jobs`;
      await writeSignedJobs(jobs, signer, createdAt);
      await damage?.(jobs);
      const { code, said } = await audit(folder, keys, [jobs]);
      assert.equal(code, want === null ? 0 : 1, said);
      assert.match(said, want ?? /^2 manifests, 0 findings$/m);
      assert.equal(await backendFinds(folder), want !== null);
    }));
}

Deno.test("a rotation amid a chain: both keys are believed for their time, and a revoked one no more", () =>
  withFolder(async (folder) => {
    const { key: next } = await makeSigningKey();
    const jobs = `${folder}/jobs`;
    await writeSignedJobs(jobs, { full: key, inc: next }, createdAt);
    const after = `${await publicText(next.publicKey)} not-before=2026-03-02`;
    const rows = [
      { keys: `${line} not-after=2026-03-01\n${after}`, want: /^2 manifests, 0 findings$/m },
      { keys: line, want: new RegExp(`inc\\.json: is signed by key ${next.id}, which is not trusted`) },
      {
        keys: `${line} revoked\n${after}`,
        want: new RegExp(`full\\.json: is signed by key ${key.id}, which is revoked`),
      },
      { keys: `${line} not-after=2026-03-01\n${after} revoked`, want: /inc\.json: .*which is revoked/ },
    ];
    for (const [at, { keys, want }] of rows.entries()) {
      const { code, said } = await audit(folder, keys, [jobs]);
      assert.match(said, want);
      assert.equal(code, at === 0 ? 0 : 1, said);
      assert.equal(await backendFinds(folder), at !== 0);
    }
  }));

Deno.test("verify-artifacts.sh finds an Incremental of another Full, and one that doesn't begin where its Full ended", () =>
  withFolder(async (folder) => {
    await writeSignedJobs(`${folder}/a`, key, createdAt);
    await writeSignedJobs(`${folder}/b`, key, { ...createdAt, full: "2026-02-01T00:00:00.000Z" });
    const path = (job: string, name: string) => `${folder}/${job}/${name}/@mongodb/rs0/manifest.${name}.json`;
    const both = await audit(folder, line, [path("a", "full"), path("a", "inc")]);
    assert.equal(both.code, 0, both.said);
    const mixed = await audit(folder, line, [path("a", "full"), path("b", "inc")]);
    assert.equal(mixed.code, 1);
    assert.match(mixed.said, /continues job full, whose manifest is not here/);
    await writeSignedJobs(`${folder}/jobs`, key, createdAt, 99);
    const apart = await audit(folder, line, [`${folder}/jobs`]);
    assert.equal(apart.code, 1);
    assert.match(apart.said, /inc\.json: does not begin where job full ended/);
    assert.ok(await backendFinds(folder));
  }));

Deno.test("verify-artifacts.sh audits manifests alone, one tree of several jobs, and folders with odd names", () =>
  withFolder(async (folder) => {
    const jobs = `${folder}/it's here:`;
    await writeSignedJobs(jobs, key, createdAt);
    const merged = `${folder}/merged -x`;
    await Deno.mkdir(merged);
    for (const job of ["full", "inc"]) {
      assert.ok(
        (await new Deno.Command("cp", { args: ["-a", `${jobs}/${job}/@mongodb`, merged] }).output()).success,
      );
    }
    assert.equal((await audit(folder, line, [jobs, "--"])).code, 2);
    assert.equal((await audit(folder, line, [jobs])).code, 0);
    assert.equal((await audit(folder, line, [merged])).code, 0);
    await Deno.remove(`${merged}/@mongodb/rs0/app`, { recursive: true });
    assert.equal((await audit(folder, line, [merged])).code, 1);
    assert.equal((await audit(folder, line, ["--manifests-only", merged])).code, 0);
  }));

Deno.test("verify-artifacts.sh ends with 2 and a sentence where it can't audit", () =>
  withFolder(async (folder) => {
    await writeSignedJobs(`${folder}/jobs`, key, createdAt);
    const jobs = `${folder}/jobs`;
    await Deno.mkdir(`${folder}/empty`);
    const refusals = [
      { keys: "", args: [jobs], want: /holds no key/ },
      { keys: `${line} revokd`, args: [jobs], want: /"revokd" is none of/ },
      { keys: `${line} not-after=2026-02-30`, args: [jobs], want: /is no time such as/ },
      { keys: line.slice(4), args: [jobs], want: /neither PEM nor/ },
      { keys: "-----BEGIN PUBLIC KEY-----\nMCow\n", args: [jobs], want: /has no end/ },
      { keys: line, args: [`${folder}/nowhere`], want: /is not there/ },
      { keys: line, args: [`${folder}/empty`], want: /no manifest is there/ },
      { keys: line, args: [], want: /no folder and no manifest is given/ },
    ];
    for (const { keys, args, want } of refusals) {
      const { code, said } = await audit(folder, keys, args);
      assert.deepEqual([code, want.test(said)], [2, true], said);
    }
    await Deno.chmod(`${folder}/keys`, 0o666);
    const { code, said } = await audit(folder, line, [jobs]);
    assert.deepEqual([code, /others than its owner can change it/.test(said)], [2, true], said);
  }));

Deno.test("verify-artifacts.sh has the backend do it where b3sum is missing, or says so", () =>
  withFolder(async (folder) => {
    await writeSignedJobs(`${folder}/jobs`, key, createdAt);
    const backend = `${folder}/backend`;
    await Deno.writeTextFile(backend, `#!/bin/sh\necho "asked: $*"\n[ "$1" != chain ]\n`, { mode: 0o755 });
    const none = { PATH: `${folder}/empty`, PODHEITOR_MONGODB_BACKEND: backend };
    const asked = await audit(folder, line, [`${folder}/jobs`], none);
    assert.equal(asked.code, 1, asked.said);
    const tail = `${folder}/jobs --key ${folder}/keys`;
    assert.equal(asked.said, `asked: verify ${tail}\nasked: chain ${tail}\n`);
    const missing = await audit(folder, line, [`${folder}/jobs`], { ...none, PODHEITOR_MONGODB_BACKEND: "" });
    assert.equal(missing.code, 2);
    assert.match(missing.said, /b3sum is missing, and so is podheitor-mongodb-backend/);
  }));

Deno.test({
  name: "verify-artifacts.sh satisfies shellcheck",
  ignore: !await isOnPath("shellcheck"),
  fn: async () => {
    const { success, stdout } = await new Deno.Command("shellcheck", { args: [script] }).output();
    assert.ok(success, new TextDecoder().decode(stdout));
  },
});
