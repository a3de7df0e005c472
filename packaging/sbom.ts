/** The bill of materials: an SPDX 2.3 document of the product and of all that is shipped with it. */

import type { Component } from "./components.ts";

const product = "SPDXRef-podheitor-mongodb";
const shim = "SPDXRef-podheitor-mongodb-fd";

/**
 * The document's text.
 *
 * @param epochSeconds when it says it was made
 */
export async function billOfMaterials(
  version: string,
  components: readonly Component[],
  epochSeconds: number,
): Promise<string> {
  const ids = components.map(({ url, version }) =>
    `SPDXRef-${`${url}-${version}`.replace(/[^A-Za-z0-9.]+/g, "-")}`
  );
  const parts = [
    {
      ...common(product, "podheitor-mongodb", version, "LicenseRef-PodHeitor"),
      supplier: "Organization: PodHeitor",
      primaryPackagePurpose: "APPLICATION",
    },
    {
      ...common(shim, "podheitor-mongodb-fd", version, "AGPL-3.0-only"),
      supplier: "Organization: PodHeitor",
      primaryPackagePurpose: "LIBRARY",
    },
    ...components.map(({ name, version, url, licence, digest }, at) => ({
      ...common(ids[at]!, name, version, licence),
      supplier: "NOASSERTION",
      ...(digest === undefined
        ? {}
        : { checksums: [{ algorithm: digest.algorithm, checksumValue: digest.hex }] }),
      externalRefs: [{
        referenceCategory: "PACKAGE-MANAGER",
        referenceType: "purl",
        referenceLocator: `pkg:${url}@${version}`,
      }],
    })),
  ];
  const content = JSON.stringify(parts);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(content)));
  const document = {
    spdxVersion: "SPDX-2.3",
    dataLicense: "CC0-1.0",
    SPDXID: "SPDXRef-DOCUMENT",
    name: `podheitor-mongodb-${version}`,
    documentNamespace: `https://spdx.org/spdxdocs/podheitor-mongodb-${version}-${digest.toHex()}`,
    creationInfo: {
      created: new Date(epochSeconds * 1000).toISOString().replace(/\.\d+Z$/, "Z"),
      creators: ["Organization: PodHeitor", `Tool: podheitor-mongodb-packaging-${version}`],
    },
    packages: parts,
    relationships: [
      relation("SPDXRef-DOCUMENT", "DESCRIBES", product),
      relation(product, "CONTAINS", shim),
      ...ids.map((id) => relation(product, "CONTAINS", id)),
    ],
    hasExtractedLicensingInfos: [{
      licenseId: "LicenseRef-PodHeitor",
      name: "PodHeitor's licence",
      extractedText: "See LICENSE in the package's documentation.",
    }],
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

function common(id: string, name: string, version: string, licence: string) {
  return {
    SPDXID: id,
    name,
    versionInfo: version,
    downloadLocation: "NOASSERTION",
    filesAnalyzed: false,
    licenseConcluded: licence,
    licenseDeclared: licence,
    copyrightText: "NOASSERTION",
  };
}

function relation(from: string, type: string, to: string) {
  return { spdxElementId: from, relationshipType: type, relatedSpdxElement: to };
}
