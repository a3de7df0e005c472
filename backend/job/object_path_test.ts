import assert from "node:assert/strict";
import fc from "fast-check";
import { isManifestPath, manifestPath, metadataPath, resourceOf, segmentPath } from "./object_path.ts";

/** A name as the database's component of a virtual name. */
function escapeName(name: string): string {
  const path = segmentPath("rs0", { database: name, collection: "c" }, 0);
  return path.slice("/@mongodb/rs0/".length, -"/c.bson".length);
}

/** The inverse: that there is one is what makes the escaping reversible. */
function unescapeName(escaped: string): string {
  const bytes = escaped.replace(/%([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
  return new TextDecoder("utf-8", { fatal: true }).decode(
    Uint8Array.from(bytes, (byte) => byte.charCodeAt(0)),
  );
}

const names = fc.string({ unit: "grapheme", minLength: 1 }).filter((name) => name.isWellFormed());

Deno.test("segmentPath() makes of a name one harmless path component that can be turned back", () => {
  fc.assert(fc.property(names, (name) => {
    const escaped = escapeName(name);
    assert.match(escaped, /^[A-Za-z0-9\-._~$&+=@%]+$/);
    assert.ok(escaped !== "." && escaped !== "..");
    assert.equal(unescapeName(escaped), name);
  }));
});

Deno.test("segmentPath() escapes what a path minds", () => {
  for (
    const { name, want } of [
      { name: "orders", want: "orders" },
      { name: "a/b c", want: "a%2Fb%20c" },
      { name: "100%", want: "100%25" },
      { name: "ä:é", want: "%C3%A4%3A%C3%A9" },
      { name: "a$b@c", want: "a$b@c" },
      { name: "..", want: "%2E%2E" },
    ]
  ) assert.equal(escapeName(name), want, name);
});

Deno.test("virtual names are unique over collections, segments, metadata and manifests", () => {
  const collections = fc.array(
    fc.oneof(names, fc.constantFrom("a", "a.bson", "a.bson.00001", "a.metadata.json")),
  );
  fc.assert(fc.property(collections, (picked) => {
    const paths = [manifestPath("rs0", "job.2026"), manifestPath("rs0", "a.bson")];
    for (const collection of new Set(picked)) {
      const namespace = { database: "app", collection };
      paths.push(metadataPath("rs0", namespace));
      for (const index of [0, 1, 2, 100_000]) paths.push(segmentPath("rs0", namespace, index));
    }
    assert.equal(new Set(paths).size, paths.length);
    for (const path of paths) assert.equal(resourceOf(path), "rs0");
    assert.equal(paths.filter(isManifestPath).length, 2);
  }));
});

Deno.test("segmentPath() numbers all segments but the first", () => {
  const namespace = { database: "app", collection: "orders" };
  assert.equal(segmentPath("rs0", namespace, 0), "/@mongodb/rs0/app/orders.bson");
  assert.equal(segmentPath("rs0", namespace, 12), "/@mongodb/rs0/app/orders.bson.00012");
});

Deno.test("resourceOf() knows foreign names", () => {
  for (const path of ["/etc/passwd", "/@mongodb/", "/@mongodb/rs0", "@mongodb/rs0/a", "/@mongodb//a"]) {
    assert.equal(resourceOf(path), undefined, path);
  }
});
