import assert from "node:assert/strict";
import { restoreCommand, type RestoreRequest } from "./bacula_restore.ts";

const cases: { name: string; request: RestoreRequest; want: string[] }[] = [
  {
    name: "all of a chain to its place",
    request: { from: [4, 5] },
    want: ['restore client=lab-fd jobid=4,5 where="/" all done', "yes"],
  },
  {
    name: "the newest chain, elsewhere",
    request: { from: "Plug", where: '/a "b"', replace: "never" },
    want: [
      'restore client=lab-fd fileset="Plug" select current where="/a \\"b\\"" replace=never all done',
      "yes",
    ],
  },
  {
    name: "the chain of an earlier time",
    request: { from: "Plug", before: "2026-11-23 08:15:00" },
    want: [
      'restore client=lab-fd fileset="Plug" before="2026-11-23 08:15:00" select current where="/" all done',
      "yes",
    ],
  },
  {
    name: "marked files",
    request: { from: [1], files: ["/top", "/@mongodb/rs0/a b/x*[1].bson"] },
    want: [
      'restore client=lab-fd jobid=1 where="/"',
      ...['cd "/"', 'mark "top"'],
      ...['cd "/@mongodb/rs0/a b"', 'mark "x\\\\*\\\\[1].bson"'],
      ...["done", "yes"],
    ],
  },
  {
    name: "the plugin's form",
    request: { from: [1], pluginOptions: { form: 2, fields: [[1, "/tmp/x y"], [2, "yes"]] } },
    want: [
      'restore client=lab-fd jobid=1 where="/" all done',
      ...["mod", "13", "2"],
      ...["mod", "1", "/tmp/x y", "mod", "2", "yes"],
      ...["yes", "yes"],
    ],
  },
];

Deno.test("restoreCommand gives bconsole its lines", () => {
  for (const { name, request, want } of cases) assert.deepEqual(restoreCommand(request), want, name);
});
