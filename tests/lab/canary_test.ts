import assert from "node:assert/strict";
import { canary, findCanary } from "./canary.ts";
import { withFolder } from "./folder.ts";

const { password, signingKey } = canary;

const shapes: Record<string, string> = {
  "as it is": password,
  "percent-encoded": `mongodb://user:${encodeURIComponent(password)}@host/`,
  "in JSON": JSON.stringify({ password }),
  "in JSON, percent-encoded and in base64": btoa(JSON.stringify(encodeURIComponent(password))),
  "in base64": btoa(password),
  "in base64, behind one byte": btoa(`:${password}`),
  "in base64, behind two bytes": btoa(`u:${password}`),
  "in hexadecimal": new TextEncoder().encode(password).toHex(),
  "the key": signingKey,
  "the key, decoded": atob(signingKey),
};

Deno.test("findCanary() finds the secrets in whatever shape, in texts and in files", () =>
  withFolder(async (folder) => {
    await Deno.mkdir(`${folder}/below`);
    for (const [name, text] of Object.entries(shapes)) {
      await Deno.writeTextFile(`${folder}/below/file`, `\0\n${text}\n`);
      assert.deepEqual(await findCanary([folder], { [name]: `a ${text} b`, other: "c4n4ry" }), [
        `${folder}/below/file`,
        name,
      ]);
    }
    await Deno.writeTextFile(`${folder}/below/file`, "mongodb://user:[redacted]@host/");
    assert.deepEqual(await findCanary([folder], {}), []);
    await assert.rejects(findCanary([`${folder}/gone`], {}), /Cannot look for secrets/);
  }));
