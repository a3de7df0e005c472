/**
 * Whether a package's bill of materials is true.
 *
 * @module
 */

import assert from "node:assert/strict";
import { z } from "zod";

const spdxId = z.string().regex(/^SPDXRef-[A-Za-z0-9.-]+$/);

/** What SPDX 2.3 demands of a document like ours, and what we promise besides. */
const billSchema = z.object({
  spdxVersion: z.literal("SPDX-2.3"),
  dataLicense: z.literal("CC0-1.0"),
  SPDXID: z.literal("SPDXRef-DOCUMENT"),
  name: z.string().min(1),
  documentNamespace: z.url(),
  creationInfo: z.object({
    created: z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
    creators: z.array(z.string().regex(/^(Organization|Tool|Person): ./)).min(1),
  }),
  packages: z.array(z.object({
    SPDXID: spdxId,
    name: z.string().min(1),
    versionInfo: z.string().min(1),
    downloadLocation: z.string().min(1),
    filesAnalyzed: z.literal(false),
    licenseConcluded: z.string().min(1),
    licenseDeclared: z.string().min(1),
    copyrightText: z.string().min(1),
    checksums: z.array(z.object({
      algorithm: z.enum(["SHA256", "SHA512"]),
      checksumValue: z.string().regex(/^([0-9a-f]{64}|[0-9a-f]{128})$/),
    })).optional(),
  })).min(3),
  relationships: z.array(z.object({
    spdxElementId: spdxId,
    relationshipType: z.enum(["DESCRIBES", "CONTAINS"]),
    relatedSpdxElement: spdxId,
  })),
});

/** Holds the bill of an unpacked package against what the bundles themselves say of their modules. */
export async function checkBillOfMaterials(root: string): Promise<void> {
  const documents = `${root}/usr/share/doc/podheitor-mongodb`;
  const bill = billSchema.parse(JSON.parse(await Deno.readTextFile(`${documents}/sbom.spdx.json`)));
  const ids = ["SPDXRef-DOCUMENT", ...bill.packages.map(({ SPDXID }) => SPDXID)];
  assert.equal(new Set(ids).size, ids.length);
  const related = bill.relationships.map(({ relatedSpdxElement }) => relatedSpdxElement);
  assert.deepEqual(new Set(related), new Set(ids.slice(1)));

  const named = bill.packages.map(({ name, versionInfo }) => `${name}/${versionInfo}`);
  const bundled = await readBundled(`${root}/opt/bacula/lib/podheitor-mongodb`);
  assert.ok(bundled.size > 5);
  assert.deepEqual([...bundled].filter((name) => !named.includes(name)), []);
  const npm = bill.packages.filter(({ SPDXID }) => SPDXID.startsWith("SPDXRef-npm-"));
  const idle = npm.filter(({ name, versionInfo }) =>
    name !== "deno" && !bundled.has(`${name}/${versionInfo}`)
  );
  assert.deepEqual(idle, []);

  for (const { name } of bill.packages.slice(2)) {
    const file = `${documents}/licences/${name.replace("@", "").replace("/", "-")}.txt`;
    assert.match(await Deno.readTextFile(file), /permi(t|ssion)/i, file);
  }
}

/** Names and versions of npm packages in the bundles of a folder. */
async function readBundled(folder: string): Promise<Set<string>> {
  const found = new Set<string>();
  for (const { name } of Deno.readDirSync(folder)) {
    if (!name.endsWith(".js")) continue;
    const text = await Deno.readTextFile(`${folder}/${name}`);
    for (const [, id] of text.matchAll(/^\/\/ npm:((?:@[\w.-]+\/)?[\w.-]+\/[\w.-]+)\//gm)) found.add(id!);
  }
  return found;
}
