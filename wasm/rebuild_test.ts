import assert from "node:assert/strict";

/** Run at load, because only its outcome says whether this machine can build at all. */
const { code, stderr } = await new Deno.Command(Deno.execPath(), {
  args: ["run", "-A", `${import.meta.dirname}/build.ts`, "--check"],
  stdin: "null",
}).output();
const report = new TextDecoder().decode(stderr).trim();

Deno.test({
  name: `wasm/pkg/ is what build.ts makes of the sources${code === 2 ? ` (${report})` : ""}`,
  ignore: code === 2,
  fn: () => assert.equal(code, 0, report),
});
