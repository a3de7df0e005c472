import { strictEqual, throws } from "node:assert/strict";
import { createHash } from "node:crypto";
import fc from "fast-check";
import { collectionFileName, databaseFolderName, parseCollectionFileName } from "./dump_name.ts";

for (
  const { collection, want } of [
    { collection: "orders", want: "orders" },
    { collection: "a-b_c.d~e", want: "a-b_c.d~e" },
    { collection: "my coll", want: "my+coll" },
    { collection: "a+b", want: "a%2Bb" },
    { collection: "a/b:c*d?e", want: "a%2Fb%3Ac%2Ad%3Fe" },
    { collection: "$&=@!'(),;", want: "%24%26%3D%40%21%27%28%29%2C%3B" },
    { collection: "100%", want: "100%25" },
    { collection: "näme", want: "n%C3%A4me" },
    { collection: "ends\n", want: "ends%0A" },
    { collection: "a".repeat(238), want: "a".repeat(238) },
    { collection: `${"a".repeat(238)}b`, want: `${"a".repeat(208)}%24KEqLva9yrlECKuassyci9KmiSfk` },
  ]
) {
  Deno.test(`collectionFileName() of ${JSON.stringify(collection).slice(0, 40)} is mongodump's`, async () => {
    strictEqual(await collectionFileName(collection), want);
  });
}

const names = fc.string({ unit: "binary", minLength: 1, maxLength: 255 }).filter((name) =>
  name.isWellFormed()
);

Deno.test("parseCollectionFileName() is the way back, and knows what was cut", async () => {
  await fc.assert(fc.asyncProperty(names, async (name) => {
    const fileName = await collectionFileName(name);
    strictEqual(/^[A-Za-z0-9\-_.~+%]+$/.test(fileName), true);
    strictEqual(fileName.length <= 238, true);
    const escaped = encodeURIComponent(name).replace(
      /[!'()*]/g,
      (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`,
    )
      .replaceAll("%20", "+");
    if (escaped.length <= 238) {
      strictEqual(fileName, escaped);
      strictEqual(parseCollectionFileName(fileName), name);
    } else {
      const hash = createHash("sha1").update(name).digest("base64url");
      strictEqual(fileName, `${escaped.slice(0, 208)}%24${hash}`);
      strictEqual(parseCollectionFileName(fileName), null);
    }
  }));
});

Deno.test("parseCollectionFileName() takes no escaping that stands for nothing", () => {
  for (const name of ["a%", "a%2", "a%zz", "a%ff"]) strictEqual(parseCollectionFileName(name), null);
});

Deno.test("databaseFolderName() takes a name as it is, and none that leads elsewhere", () => {
  strictEqual(databaseFolderName("Käse*:<>|?"), "Käse*:<>|?");
  for (const name of ["", ".", "..", "a/b", "a\\b", "a.b", "a b", "a$", 'a"', "a\0"]) {
    throws(() => databaseFolderName(name), { code: "restoreTarget" });
  }
});
