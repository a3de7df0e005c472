import assert from "node:assert/strict";
import fc from "fast-check";
import { findDirective } from "./file_daemon_config.ts";

const wanted = "plugindirectory";

for (
  const { text, want } of [
    { text: "FileDaemon {\n Plugin Directory = /a/b\n}", want: "/a/b" },
    { text: 'Client { Name = x; PluginDirectory = "/a b/c" }', want: "/a b/c" },
    { text: "FILEDAEMON{plugin  directory=/a;Name=x}", want: "/a" },
    { text: 'FileDaemon {\n # Plugin Directory = /no\n Plugin Directory = "/a\\"b" # yes\n}', want: '/a"b' },
    {
      text: 'Director { Plugin Directory = /no }\nFileDaemon { Name = "Plugin Directory = /no" }',
      want: null,
    },
    { text: "FileDaemon { TLS { Plugin Directory = /no } }", want: null },
    { text: "Director { Name = d }\nFileDaemon { Name = x; Plugin Directory = /a }", want: "/a" },
    { text: "Plugin Directory = /no", want: null },
    { text: "FileDaemon { Plugin Directory = /a", want: "/a" },
    { text: "", want: null },
  ]
) {
  Deno.test(`findDirective() finds ${want} in ${JSON.stringify(text)}`, () => {
    assert.equal(findDirective(text, wanted), want);
  });
}

Deno.test("findDirective() takes any text, and finds any path that is quoted", () => {
  const unit = fc.constantFrom(...'{}=;#"\\\n ab', "FileDaemon {", "Plugin Directory =");
  fc.assert(fc.property(fc.string({ unit }), (text) => void findDirective(text, wanted)));
  fc.assert(fc.property(fc.string({ unit, minLength: 1 }).filter((path) => path.trim() === path), (path) => {
    const quoted = `"${path.replaceAll(/["\\]/g, "\\$&")}"`;
    assert.equal(findDirective(`FileDaemon {\nName = x\nPlugin Directory = ${quoted}\n}`, wanted), path);
  }));
});
