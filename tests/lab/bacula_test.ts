import assert from "node:assert/strict";
import { BaculaLab, type JobResult } from "./bacula.ts";

// Names that bconsole's tree takes for something else unless they are quoted.
const names = ["one.txt", "a=b", "sp ace", "st*r", 'q"uote', "back\\slash", "br[a]"];

async function labWithFiles(): Promise<BaculaLab> {
  const lab = await BaculaLab.start({ accurateJobs: ["Plain"] });
  for (const name of names) await Deno.writeTextFile(`${lab.folder}/data/${name}`, `content of ${name}`);
  return lab;
}

function assertWell(job: JobResult, files: number): void {
  assert.deepEqual({ status: job.status, errors: job.errors, files: job.files }, {
    status: "T",
    errors: 0,
    files,
  }, job.log);
}

Deno.test("BaculaLab: Full, Incremental and restore of plain files, and nothing left after stop", async () => {
  await using lab = await labWithFiles();
  const data = `${lab.folder}/data`;
  assert.match(await lab.estimate("Plain", { listing: true }), /data\/one\.txt\n[^]*estimate files=8 /);
  const full = await lab.run("Plain", "Full");
  assertWell(full, names.length + 1);
  assert.match(full.log, /Termination: +Backup OK/);
  assert.deepEqual(
    (await lab.listFiles(full.jobId)).toSorted(),
    ["", ...names].map((name) => `${data}/${name}`).toSorted(),
  );

  await Deno.writeTextFile(`${data}/two.txt`, "two");
  const incremental = await lab.run("Plain", "Incremental");
  assertWell(incremental, 2);

  const everything = await lab.restore({
    from: [full.jobId, incremental.jobId],
    where: `${lab.folder}/restore`,
  });
  assertWell(everything, names.length + 2);
  for (const name of names) {
    assert.equal(await Deno.readTextFile(`${lab.folder}/restore${data}/${name}`), `content of ${name}`);
  }

  await Deno.remove(data, { recursive: true });
  const marked = names.map((name) => `${data}/${name}`);
  assertWell(await lab.restore({ from: "Plain", files: marked }), names.length);
  assert.deepEqual([...Deno.readDirSync(data)].map(({ name }) => name).toSorted(), names.toSorted());
  await assert.rejects(
    lab.restore({ from: "Plain", files: [`${data}/one.txt`, `${data}/no such file`] }),
    /No files marked/,
  );

  assert.deepEqual(lab.volumes(), [`${lab.folder}/vol/Vol-0001`]);
  await lab.query("update Job set JobFiles=4711 where JobId=1");
  assert.deepEqual(await lab.query("select JobFiles, null, 'x' from Job where JobId=1"), [["4711", "", "x"]]);

  const { fdPid } = lab;
  await lab.stop();
  for (const path of [lab.folder, `/proc/${fdPid}`]) {
    await assert.rejects(Deno.stat(path), Deno.errors.NotFound);
  }
});

Deno.test("BaculaLab: daemons can be restarted and jobs cancelled", async () => {
  await using lab = await labWithFiles();
  const before = lab.fdPid;
  for (const name of ["fd", "sd", "dir"] as const) await lab.restartDaemon(name);
  assert.notEqual(lab.fdPid, before);
  const jobId = await lab.start("Plain", "Full");
  await lab.cancel(jobId);
  const canceled = await lab.wait(jobId);
  assert.equal(canceled.status, "A", canceled.log);
  assertWell(await lab.run("Plain", "Full"), names.length + 1);
  assert.match(await lab.status("client"), /Backup|Full .* OK/);
});

Deno.test("BaculaLab: a plugin command reaches the Director whatever its characters", async () => {
  const command = 'mongodb: uri="mongodb://a/?b=c" path=C:\\dir';
  await using lab = await BaculaLab.start({ pluginCommands: { Plug: command } });
  assert.ok((await lab.console(["show fileset=Plug"])).includes(command));
});

Deno.test("BaculaLab: accurateJobs names only jobs of the lab", async () => {
  await assert.rejects(BaculaLab.start({ accurateJobs: ["Plugg"] }), /doesn't have: Plugg/);
});
