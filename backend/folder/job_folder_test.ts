import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { withFolder } from "../../tests/lab/folder.ts";
import type { ObjectReceiver } from "../objects.ts";
import { discardingReceiver, JobFolder, JobFolderWriter } from "./job_folder.ts";

const bytes = new TextEncoder().encode("hello");
const header = { size: 5, mode: 0o600, atime: 0, mtime: 0, ctime: 0 };
const object = { objectType: 25, index: 1, jobId: 0, size: 5, name: "podheitor/m 1/1", command: "" } as const;

async function send(receiver: ObjectReceiver, name: string): Promise<void> {
  const writer = await receiver.file({ ...header, name });
  await writer.write(bytes);
  await writer.end();
}

function namesIn(directory: string): string[] {
  return [...Deno.readDirSync(directory)].map(({ name }) => name).sort();
}

/** A process of its own that begins a job's folder, says so, and lives until its input ends. */
function begin(directory: string, jobName: string): Deno.ChildProcess {
  const module = new URL("job_folder.ts", import.meta.url);
  const program = `const { JobFolderWriter } = await import("${module}");
    globalThis.writer = await JobFolderWriter.create(${JSON.stringify(directory)}, "${jobName}");
    await Deno.stdout.write(new Uint8Array(1));
    await Deno.stdin.read(new Uint8Array(1));`;
  return new Deno.Command(Deno.execPath(), { args: ["eval", program], stdin: "piped", stdout: "piped" })
    .spawn();
}

async function begun(child: Deno.ChildProcess): Promise<void> {
  const reader = child.stdout.getReader();
  ok(!(await reader.read()).done, "the process ended");
  reader.releaseLock();
}

async function end(child: Deno.ChildProcess): Promise<void> {
  await child.stdin.close();
  await child.stdout.cancel();
  await child.status;
}

Deno.test("JobFolderWriter: what came is read back, under the job's name only when it is committed", async () => {
  await withFolder(async (directory) => {
    const writer = await JobFolderWriter.create(`${directory}/new`, "job.1");
    await send(writer, "/@mongodb/rs0/app/users.bson");
    const one = await writer.restoreObject(object);
    await one.write(bytes);
    await one.end();
    deepStrictEqual(namesIn(`${directory}/new`), [".job.1.partial"]);
    deepStrictEqual(await JobFolder.find(`${directory}/new`), []);
    await writer.commit();
    deepStrictEqual(namesIn(`${directory}/new`), ["job.1"]);
    const [folder] = await JobFolder.find(`${directory}/new`);
    deepStrictEqual(await folder?.list(), ["/@mongodb/rs0/app/users.bson"]);
    deepStrictEqual(await folder?.restoreObjects(), [{ header: { ...object, jobId: 1 }, bytes }]);
    const { mode, size } = await folder!.header("/@mongodb/rs0/app/users.bson");
    deepStrictEqual([mode, size], [0o600, 5]);
    deepStrictEqual(
      await Array.fromAsync(folder!.open("/@mongodb/rs0/app/users.bson"), (piece) => piece.slice()),
      [bytes],
    );
    deepStrictEqual(await JobFolder.find(folder!.path), [folder]);
  });
});

Deno.test("JobFolderWriter: a name longer than a file system's is kept whole, wherever it is cut", async () => {
  await withFolder(async (directory) => {
    const lengths = [250, 251, 300, 600, 765];
    const names = lengths.flatMap((length) =>
      ["", "x", "xx"].map((start) =>
        `/@mongodb/rs0/app/${start}${"%C3%A4".repeat(128).slice(0, length)}.bson`
      )
    );
    const writer = await JobFolderWriter.create(directory, "job.1");
    for (const name of names) await send(writer, name);
    await writer.commit();
    const [folder] = await JobFolder.find(directory);
    deepStrictEqual(await folder!.list(), names.toSorted());
    for (const name of names) {
      strictEqual((await folder!.header(name)).size, bytes.length);
      deepStrictEqual(await Array.fromAsync(folder!.open(name), (piece) => piece.slice()), [bytes]);
    }
  });
});

Deno.test("JobFolderWriter.discard: nothing stays, whether committed or not", async () => {
  await withFolder(async (directory) => {
    for (const commits of [false, true]) {
      const writer = await JobFolderWriter.create(directory, "job");
      await send(writer, "/@mongodb/a");
      if (commits) await writer.commit();
      await writer.discard();
      deepStrictEqual(namesIn(directory), []);
    }
  });
});

for (const jobName of ["", "..", ".job", "a/b", "a\nb", "a".repeat(129)]) {
  Deno.test(`JobFolderWriter.create: refuses the job name ${JSON.stringify(jobName).slice(0, 20)}`, async () => {
    await withFolder((directory) => rejects(JobFolderWriter.create(directory, jobName), { code: "usage" }));
  });
}

for (const name of ["/@mongodb/../../x", "/@mongodb/a/..", "/etc/passwd", "@mongodb/a", "/@mongodbx/a"]) {
  Deno.test(`JobFolderWriter.file: refuses the name ${name}`, async () => {
    await withFolder(async (directory) => {
      const writer = await JobFolderWriter.create(directory, "job");
      await rejects(writer.file({ ...header, name }), { code: "protocol" });
      await writer.discard();
    });
  });
}

Deno.test("JobFolderWriter.file: refuses a file that is there, and a link in its place", async () => {
  await withFolder(async (directory) => {
    const writer = await JobFolderWriter.create(directory, "job");
    await send(writer, "/@mongodb/a");
    await rejects(writer.file({ ...header, name: "/@mongodb/a" }), { code: "stateWrite" });
    await Deno.symlink(`${directory}/outside`, `${directory}/.job.partial/@mongodb/b`);
    await rejects(writer.file({ ...header, name: "/@mongodb/b" }), { code: "stateWrite" });
    await writer.discard();
    deepStrictEqual(namesIn(directory), []);
  });
});

Deno.test("JobFolderWriter.file: a file that can't be made is a sentence", async () => {
  await withFolder(async (directory) => {
    const writer = await JobFolderWriter.create(directory, "job");
    await send(writer, "/@mongodb/file");
    await rejects(writer.file({ ...header, name: "/@mongodb/file/in it" }), {
      code: "stateWrite",
      message: /^Cannot write .*File exists/,
    });
    await writer.discard();
  });
});

Deno.test("JobFolderWriter.file: a write that fails is a sentence", async () => {
  await withFolder(async (directory) => {
    const module = new URL("job_folder.ts", import.meta.url);
    const program = `const { JobFolderWriter } = await import("${module}");
      const folder = await JobFolderWriter.create(${JSON.stringify(directory)}, "job");
      const file = await folder.file({ name: "/@mongodb/a", size: 0, mode: 0, atime: 0, mtime: 0, ctime: 0 });
      try {
        for (let written = 0; written < 64; written++) await file.write(new Uint8Array(1 << 20));
      } catch (error) {
        await Deno.stdout.write(new TextEncoder().encode(error.report));
      }`;
    // A file's largest size stands in for a full disk: that needs no rights.
    const shell = 'trap "" XFSZ; ulimit -f 32768; exec "$0" "$@"';
    const { stdout } = await new Deno.Command("bash", {
      args: ["-c", shell, Deno.execPath(), "eval", program],
    })
      .output();
    const report = new TextDecoder().decode(stdout);
    ok(/^MONGO-701 Cannot write \S+\/@mongodb\/a: .*File too large.*\nHint: /.test(report), report);
  });
});

Deno.test("JobFolderWriter.commit: a folder that is gone is a sentence", async () => {
  await withFolder(async (directory) => {
    const writer = await JobFolderWriter.create(directory, "job");
    await Deno.remove(`${directory}/.job.partial`, { recursive: true });
    await rejects(writer.commit(), { code: "stateWrite", message: /^Cannot write/ });
    await writer.discard();
  });
});

Deno.test("JobFolderWriter.create: refuses a job that is there, also as a link", async () => {
  await withFolder(async (directory) => {
    await Deno.mkdir(`${directory}/one`);
    await Deno.symlink("nowhere", `${directory}/two`);
    for (const jobName of ["one", "two"]) {
      await rejects(JobFolderWriter.create(directory, jobName), {
        code: "usage",
        message: /there is a job of that name/,
      });
    }
    deepStrictEqual(namesIn(directory), ["one", "two"]);
  });
});

Deno.test("JobFolderWriter.create: a file in the place of the directory is a sentence", async () => {
  await withFolder(async (directory) => {
    await Deno.writeTextFile(`${directory}/file`, "");
    await rejects(JobFolderWriter.create(`${directory}/file`, "job"), {
      code: "usage",
      message: /^Cannot use/,
    });
  });
});

Deno.test("JobFolderWriter.create: the same job twice at once has one writer, others go on side by side", async () => {
  await withFolder(async (directory) => {
    const outcomes = await Promise.allSettled(
      ["a", "a", "a", "b"].map((name) => JobFolderWriter.create(directory, name)),
    );
    const writers = outcomes.flatMap((outcome) => outcome.status === "fulfilled" ? [outcome.value] : []);
    strictEqual(writers.length, 2);
    for (const outcome of outcomes) {
      if (outcome.status === "rejected") {
        ok(/another process is writing a job of that name/.test(outcome.reason.message));
      }
    }
    for (const writer of writers) await send(writer, "/@mongodb/x");
    for (const writer of writers) await writer.commit();
    deepStrictEqual(namesIn(directory), ["a", "b"]);
  });
});

Deno.test("JobFolderWriter.create: removes what dead processes left, and nothing of a living one", async () => {
  await withFolder(async (directory) => {
    await Deno.mkdir(`${directory}/.dead.partial/@mongodb`, { recursive: true });
    await Deno.mkdir(`${directory}/.other`);
    await Deno.mkdir(`${directory}/outside`);
    await Deno.symlink(`${directory}/outside`, `${directory}/.link.partial`);
    const child = begin(directory, "living");
    await begun(child);
    await Deno.mkdir(`${directory}/.dead.partial/@mongodb`, { recursive: true });
    const kept = [".link.partial", ".living.partial", ".other", "outside"];
    const writer = await JobFolderWriter.create(directory, "mine");
    deepStrictEqual(namesIn(directory), [...kept, ".mine.partial"].sort());
    await rejects(JobFolderWriter.create(directory, "living"), { code: "usage" });
    await end(child);
    await writer.discard();
    const after = await JobFolderWriter.create(directory, "living");
    await after.commit();
    deepStrictEqual(namesIn(directory), [".link.partial", ".other", "living", "outside"]);
  });
});

Deno.test("JobFolder: what isn't a job's folder, or isn't whole, is a sentence", async () => {
  await withFolder(async (directory) => {
    await rejects(JobFolder.find(`${directory}/missing`), { code: "usage", message: /^Cannot use/ });
    const folder = new JobFolder(directory);
    await rejects(folder.list(), { code: "usage" });
    await rejects(folder.restoreObjects(), { code: "usage" });
    await rejects(folder.header("/@mongodb/a"), { code: "usage" });
    await rejects(Array.fromAsync(folder.open("/@mongodb/a")), { code: "usage" });
    await Deno.mkdir(`${directory}/@mongodb`);
    await Deno.symlink("/etc", `${directory}/@mongodb/link`);
    await rejects(folder.list(), { code: "usage", message: /neither a file nor a folder/ });
    await Deno.mkdir(`${directory}/restore-objects`);
    await Deno.writeTextFile(`${directory}/restore-objects/000001-25-%E0`, "");
    await rejects(folder.restoreObjects(), { code: "usage" });
    await Deno.rename(`${directory}/restore-objects/000001-25-%E0`, `${directory}/restore-objects/notes`);
    await rejects(folder.restoreObjects(), { code: "usage", message: /no restore object's name/ });
  });
});

Deno.test("discardingReceiver: takes everything", async () => {
  await send(discardingReceiver, "/@mongodb/a");
  await (await discardingReceiver.restoreObject(object)).end();
  await discardingReceiver.commit();
});

Deno.test("JobFolder.restoreObjects() reads no link, no pipe and nothing without end", async () => {
  await withFolder(async (directory) => {
    const folder = `${directory}/job/restore-objects`;
    const path = `${folder}/000001-25-podheitor-mongodb%2Fmanifest%2Fj%2Frs0%2F1-of-1`;
    await Deno.mkdir(folder, { recursive: true });
    const refused = async () => {
      await rejects(new JobFolder(`${directory}/job`).restoreObjects(), /it is no file of at most \d+ bytes/);
      await Deno.remove(path);
    };
    await Deno.symlink("/dev/zero", path);
    await refused();
    ok((await new Deno.Command("mkfifo", { args: [path] }).output()).success);
    await refused();
    await Deno.writeTextFile(path, "");
    await Deno.truncate(path, 2 ** 40);
    await refused();
  });
});
