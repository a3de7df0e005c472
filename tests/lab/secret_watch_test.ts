import assert from "node:assert/strict";
import { BaculaLab } from "./bacula.ts";
import { canary } from "./canary.ts";
import { until } from "./condition.ts";
import { withFolder } from "./folder.ts";
import { SecretWatch } from "./secret_watch.ts";

Deno.test("SecretWatch.search() finds a secret in consoles' words, command lines and restore objects", () =>
  withFolder(async (folder) => {
    const deflated = new Blob([`{"uri":"${canary.signingKey}"}`]).stream().pipeThrough(
      new CompressionStream("deflate"),
    );
    const bytes = new Uint8Array(await new Response(deflated).arrayBuffer());
    const heard = new SecretWatch(() => null);
    heard.end();
    heard.hear(`uri=mongodb://u:${encodeURIComponent(canary.password)}@h/`);
    await assert.rejects(heard.search(folder, [["1", bytes.toBase64()]]), (cause) => {
      const found = (cause as { actual: string[] }).actual;
      assert.deepEqual(found, ["what consoles said", "restore object 0"]);
      return true;
    });

    const child = new Deno.Command("sh", {
      args: ["-c", "sh -c 'read -r _; :' child \"$0\"", canary.password],
      stdin: "piped",
    }).spawn();
    const watch = new SecretWatch(() => Deno.pid);
    const from = performance.now();
    await until("a few looks", 10_000, () => performance.now() - from > 500);
    watch.end();
    await assert.rejects(watch.search(folder, []), { actual: ["command lines"] });
    await child.stdin.close();
    await child.status;
  }));

Deno.test("BaculaLab.stop() fails where a volume holds a secret", async () => {
  const lab = await BaculaLab.start();
  await Deno.writeTextFile(`${lab.folder}/data/file`, canary.password);
  const job = await lab.run("Plain", "Full");
  assert.equal(job.status, "T", job.log);
  await Deno.remove(`${lab.folder}/data/file`);
  await assert.rejects(lab.stop(), /secret was given away[^]*\/vol\/Vol-/);
  await assert.rejects(Deno.stat(lab.folder), Deno.errors.NotFound);
});
