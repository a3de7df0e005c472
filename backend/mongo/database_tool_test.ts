import { strictEqual } from "node:assert/strict";
import { memberUriFor } from "./database_tool.ts";

for (
  const { uri, want } of [
    { uri: "mongodb://a,b:27018", want: "mongodb://m:1/?directConnection=true" },
    {
      uri: "mongodb://u:p%40%2F@a/?replicaSet=rs0&authSource=admin",
      want: "mongodb://u:p%40%2F@m:1/?authSource=admin&directConnection=true",
    },
    {
      uri: "mongodb://u:p@a/app?tls=true",
      want: "mongodb://u:p@m:1/?tls=true&authSource=app&directConnection=true",
    },
    {
      uri: "mongodb://u:p@a/app?authSource=x",
      want: "mongodb://u:p@m:1/?authSource=x&directConnection=true",
    },
    { uri: "mongodb://a/app", want: "mongodb://m:1/?directConnection=true" },
    { uri: "mongodb+srv://u:p@cluster.example/", want: "mongodb://u:p@m:1/?tls=true&directConnection=true" },
  ]
) {
  Deno.test(`memberUriFor() of ${uri}`, () => strictEqual(memberUriFor(uri, "m:1"), want));
}
