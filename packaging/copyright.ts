/** Debian's machine-readable copyright file, which says for all that is shipped whose it is. */

import type { Component } from "./components.ts";
import { installed } from "./executables.ts";

const documents = "/usr/share/doc/podheitor-mongodb";

/** The file's text. */
export function copyright(product: string, components: readonly Component[]): string {
  const bundled = components.filter(({ name }) => name !== "deno" && name !== "musl");
  return [
    "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\nUpstream-Name: PodHeitor MongoDB",
    stanza("*", "2026 PodHeitor", "PodHeitor", product),
    stanza(
      `${installed.plugins.slice(1)}/podheitor-mongodb-fd.so`,
      "2026 PodHeitor",
      "AGPL-3.0-only",
      `See ${documents}/licences/AGPL-3.0.txt.`,
    ),
    stanza(
      `${installed.runtime.slice(1)}/deno`,
      "2018-2026 the Deno authors",
      "Expat",
      `See ${documents}/licences/deno.txt.`,
    ),
    stanza(
      `${installed.programs.slice(1)}/*`,
      "2026 PodHeitor, and the authors of musl",
      "PodHeitor-and-musl",
      `PodHeitor's licence as above, and that of musl: see ${documents}/licences/musl.txt.`,
    ),
    stanza(
      `${installed.runtime.slice(1)}/*.js`,
      "2026 PodHeitor, and the authors of the packages bundled with it",
      "PodHeitor-and-others",
      "PodHeitor's licence as above, and those of the packages that are part of these files. Their texts are in\n" +
        `${documents}/licences:\n\n` +
        bundled.map(({ name, version, licence }) => `${name} ${version}: ${licence}`).join("\n"),
    ),
  ].join("\n\n") + "\n";
}

/** In this format, text goes on after a space, and an empty line is a dot. */
function stanza(files: string, owner: string, licence: string, text: string): string {
  const lines = text.trim().split("\n").map((line) => line.trim() === "" ? " ." : ` ${line}`);
  return `Files: ${files}\nCopyright: ${owner}\nLicense: ${licence}\n${lines.join("\n")}`;
}
