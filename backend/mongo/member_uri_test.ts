import assert from "node:assert/strict";
import { replaceHosts, withoutDatabase } from "./member_uri.ts";

Deno.test("replaceHosts() leads to one member and keeps user, database, TLS and authentication", () => {
  const rows = [
    { uri: "mongodb://a,b:27018", want: "mongodb://m:1/" },
    {
      uri:
        "mongodb://a/?replicaSet=rs0&directConnection=false&readPreference=nearest&readPreferenceTags=x:1&readPreferenceTags=y:2",
      want: "mongodb://m:1/",
    },
    {
      uri: "mongodb://u:p%40%2F@a,b/app?authSource=admin&replicaSet=rs0&tls=true&tlsCAFile=%2Fetc%2Fca.pem",
      want: "mongodb://u:p%40%2F@m:1/app?authSource=admin&tls=true&tlsCAFile=%2Fetc%2Fca.pem",
    },
    { uri: "mongodb+srv://u:p@cluster.example/app", want: "mongodb://u:p@m:1/app?tls=true" },
    { uri: "mongodb+srv://cluster.example/?tls=false&srvMaxHosts=2", want: "mongodb://m:1/?tls=false" },
    { uri: "mongodb+srv://cluster.example/?ssl=false", want: "mongodb://m:1/?ssl=false" },
    { uri: "mongodb://u@[::1]:27017/", want: "mongodb://u@m:1/" },
  ];
  for (const { uri, want } of rows) assert.equal(replaceHosts(uri, "m:1"), want, uri);
});

Deno.test("replaceHosts() heeds the published authSource where the connection string has none", () => {
  const rows = [
    { uri: "mongodb+srv://u:p@a/app?tls=false", want: "mongodb://u:p@m:1/app?tls=false&authSource=people" },
    {
      uri: "mongodb+srv://u:p@a/?tls=false&authSource=x",
      want: "mongodb://u:p@m:1/?tls=false&authSource=x",
    },
  ];
  for (const { uri, want } of rows) assert.equal(replaceHosts(uri, "m:1", "people"), want, uri);
});

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
  Deno.test(`withoutDatabase() of ${uri}`, () =>
    assert.equal(withoutDatabase(replaceHosts(uri, "m:1")), want));
}
