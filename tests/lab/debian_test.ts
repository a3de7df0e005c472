import assert from "node:assert/strict";
import { findArchive } from "./debian.ts";

const stanzas = `Types: deb
# a comment between the fields
URIs: http://one.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://two.example/debian-security
Suites: bookworm-security
Components: main
`;

Deno.test("findArchive finds the URI of a suite in both formats of apt's sources", () => {
  for (
    const { name, path, text, want } of [
      { name: "deb822", path: "a.sources", text: stanzas, want: "http://one.example/debian" },
      {
        name: "deb822, disabled",
        path: "a.sources",
        text: stanzas.replace("Types", "Enabled: no\nTypes"),
        want: null,
      },
      {
        name: "deb822, sources only",
        path: "a.sources",
        text: stanzas.replace("deb\n", "deb-src\n"),
        want: null,
      },
      {
        name: "deb822, field over two lines",
        path: "a.sources",
        text: stanzas.replace("bookworm bookworm-updates", "bookworm-updates\n bookworm"),
        want: "http://one.example/debian",
      },
      {
        name: "one line",
        path: "a.list",
        text: "deb http://x.example/d bookworm main\n",
        want: "http://x.example/d",
      },
      {
        name: "one line with options",
        path: "sources.list",
        text:
          "# deb http://no.example/d bookworm main\ndeb [arch=amd64 trusted=no] http://x.example/d bookworm contrib main\n",
        want: "http://x.example/d",
      },
      {
        name: "other suite",
        path: "a.list",
        text: "deb http://x.example/d bookworm-updates main\n",
        want: null,
      },
      {
        name: "other component",
        path: "a.list",
        text: "deb http://x.example/d bookworm contrib\n",
        want: null,
      },
      { name: "empty", path: "a.sources", text: "", want: null },
    ]
  ) assert.equal(findArchive(path, text, "bookworm"), want, name);
});
