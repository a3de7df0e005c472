import assert from "node:assert/strict";
import fc from "fast-check";
import { FileSpool } from "./spool.ts";

const spoolModule = new URL("spool.ts", import.meta.url).href;

async function namesIn(path: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(path))).map(({ name }) => name);
}

Deno.test("FileSpool gives back what was put, in any order, also while more is put", async () => {
  const directory = await Deno.makeTempDir();
  const pieces = fc.array(fc.uint8Array({ maxLength: 5000 }), { maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(pieces, fc.infiniteStream(fc.nat(1000)), async (pieces, picks) => {
      await using spool = new FileSpool(directory);
      const places = await Promise.all(pieces.map((piece) => spool.put(piece)));
      const next = () => picks.next().value! % pieces.length;
      await Promise.all(pieces.map(async (piece) => {
        const at = next();
        const [back, again] = await Promise.all([spool.get(places[at]!), spool.put(piece)]);
        assert.deepEqual(back, pieces[at]);
        assert.deepEqual(await spool.get(again), piece);
      }));
    }),
    { numRuns: 25 },
  );
  assert.deepEqual(await namesIn(directory), []);
  await Deno.remove(directory);
});

Deno.test("FileSpool makes no file before something is put, and its file never has a name", async () => {
  const directory = await Deno.makeTempDir();
  {
    await using spool = new FileSpool(directory);
    assert.deepEqual(await namesIn(directory), []);
    await spool.put(new Uint8Array(1000));
    assert.deepEqual(await namesIn(directory), []);
  }
  await Deno.remove(directory);
});

Deno.test("FileSpool leaves nothing when its process is killed", async () => {
  const directory = await Deno.makeTempDir();
  const program = `import { FileSpool } from ${JSON.stringify(spoolModule)};
    const spool = new FileSpool(${JSON.stringify(directory)});
    await spool.put(new Uint8Array(1 << 20));
    console.log("put");
    await spool.put(new Uint8Array(1 << 20));
    await Deno.stdin.read(new Uint8Array(1));`;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-check", program],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  await reader.read();
  reader.releaseLock();
  child.kill("SIGKILL");
  await child.stdin.close().catch(() => {});
  await child.stdout.cancel();
  await child.status;
  assert.deepEqual(await namesIn(directory), []);
  await Deno.remove(directory);
});

Deno.test("FileSpool says which directory needs room, and still has what was put before", async () => {
  const directory = await Deno.makeTempDir();
  const program = `const { FileSpool } = await import(${JSON.stringify(spoolModule)});
    const spool = new FileSpool(${JSON.stringify(directory)});
    const kept = await spool.put(new Uint8Array(1000).fill(7));
    const report = await spool.put(new Uint8Array(40 << 20)).then(() => "", (error) => error.report);
    const last = await spool.put(new Uint8Array(9).fill(8));
    const whole = [(await spool.get(kept)).every((byte) => byte === 7), (await spool.get(last)).join("")];
    await Deno.stdout.write(new TextEncoder().encode(report + " " + whole));`;
  // A file's largest size stands in for a full disk: that needs no rights.
  const shell = 'trap "" XFSZ; ulimit -f 32768; exec "$0" "$@"';
  const { stdout } = await new Deno.Command("bash", {
    args: ["-c", shell, Deno.execPath(), "eval", program],
  }).output();
  const text = new TextDecoder().decode(stdout);
  assert.match(
    text,
    /^MONGO-701 Cannot put a piece of the oplog aside in \/\S+: .*File too large.*\nHint: .*needs room/,
  );
  assert.match(text, / true,888888888$/);
  await Deno.remove(directory);
});

Deno.test("FileSpool says that its directory isn't there", async () => {
  await using spool = new FileSpool("/nowhere/at/all");
  await assert.rejects(spool.put(new Uint8Array(1)), { code: "stateWrite", message: /\/nowhere\/at\/all/ });
});
