import assert from "node:assert/strict";
import { replaceHosts } from "./client.ts";

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
