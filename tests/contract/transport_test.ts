/** TLS, certificates as logins, and passwords of every mechanism, against real servers with real certificates. */

import assert from "node:assert/strict";
import { MongoClient } from "mongodb";
import { ScratchFolder } from "../lab/daemon.ts";
import { ReplicaSet } from "../lab/mongod.ts";
import { makeCertificates, tlsArguments } from "./certificates.ts";
import { FolderJobs } from "./folder_jobs.ts";

Deno.test("connections over TLS, and logins by certificate and by password", async (t) => {
  await using scratch = await ScratchFolder.make("tls");
  const { path: folder } = scratch;
  await makeCertificates(folder);
  await using server = await ReplicaSet.standalone({
    extraArgs: [...tlsArguments(folder, "server"), "--auth"],
  });
  const { port } = server.members[0]!;
  const ca = `tls=true&tlsCAFile=${folder}/ca.pem`;
  await using jobs = await FolderJobs.make();
  let count = 0;
  const backUp = (userinfo: string, query: string, more = "") =>
    jobs.backUp(
      "F",
      `full${count++}`,
      `users=no uri=mongodb://${userinfo}127.0.0.1:${port}/?serverSelectionTimeoutMS=3000&${query} ${more}`,
    );
  // The first user may be made from this machine without a login.
  {
    await using client = new MongoClient(`mongodb://127.0.0.1:${port}/?${ca}&directConnection=true`);
    await client.db("admin").command({ createUser: "root", pwd: "x", roles: ["root"] });
  }
  await using client = new MongoClient(`mongodb://root:x@127.0.0.1:${port}/?${ca}&directConnection=true`);
  await client.db("app").collection("a").insertMany([{ a: 1 }, { a: 2 }]);
  const roles = ["backup", "clusterMonitor"];
  const odd = "p@ss:w/o?r#d %41 ü";
  await client.db("admin").command({ createUser: "sha1", pwd: odd, roles, mechanisms: ["SCRAM-SHA-1"] });
  await client.db("admin").command({ createUser: "sha256", pwd: odd, roles, mechanisms: ["SCRAM-SHA-256"] });
  await client.db("app").command({
    createUser: "there",
    pwd: odd,
    roles: roles.map((role) => ({ role, db: "admin" })),
  });
  await client.db("$external").command({
    createUser: "CN=saver,OU=people,O=lab",
    roles: roles.map((role) => ({ role, db: "admin" })),
  });

  await t.step("a password of odd characters, by either mechanism, of any database", async () => {
    const userOf = (name: string) => `${name}:${encodeURIComponent(odd)}@`;
    await backUp(userOf("sha1"), `${ca}&authMechanism=SCRAM-SHA-1`);
    await backUp(userOf("sha256"), `${ca}&authMechanism=SCRAM-SHA-256`);
    await backUp(userOf("sha256"), ca);
    await backUp(userOf("there"), `${ca}&authSource=app`);
    await Deno.writeTextFile(`${folder}/password`, `${odd}\n`, { mode: 0o600 });
    await backUp("sha256@", ca, `password_file=${folder}/password`);
  });

  await t.step("a password that was changed between two jobs", async () => {
    await client.db("admin").command({ updateUser: "sha256", pwd: "new" });
    await assert.rejects(
      backUp("sha256@", ca, `password_file=${folder}/password`),
      /MONGO-302 .*Authentication failed/,
    );
    await Deno.writeTextFile(`${folder}/password`, "new\n");
    await backUp("sha256@", ca, `password_file=${folder}/password`);
  });

  await t.step("a client's certificate as the login", async () => {
    await backUp("", `${ca}&authMechanism=MONGODB-X509&tlsCertificateKeyFile=${folder}/client.pem`);
    await assert.rejects(backUp("", `${ca}&authMechanism=MONGODB-X509`), /MONGO-30[12] /);
  });

  await t.step("a server whose authority isn't trusted is none", async () => {
    const untrusted = `root:x@`;
    await assert.rejects(backUp(untrusted, "tls=true"), /MONGO-301 .*certificate/i);
    await assert.rejects(
      backUp(untrusted, `tls=true&tlsCAFile=${folder}/other.pem`),
      /MONGO-301 .*certificate/i,
    );
    await assert.rejects(backUp(untrusted, ""), /MONGO-301 /);
    await assert.rejects(
      backUp(untrusted, `tls=true&tlsCAFile=${folder}/missing.pem`),
      /MONGO-\d+ .*missing\.pem/,
    );
  });

  await t.step("a list of revoked certificates is refused, since nobody would look at it", async () => {
    await assert.rejects(
      backUp("root:x@", `${ca}&tlsCRLFile=${folder}/ca.crl`),
      /MONGO-102 Cannot look for revoked certificates/,
    );
  });

  await t.step("settings that let anybody be the server are said each time", async () => {
    for (const setting of ["tlsAllowInvalidCertificates", "tlsInsecure"]) {
      const log = await backUp("root:x@", `tls=true&${setting}=true`);
      assert.match(log, new RegExp(`W ${setting}=true in the connection string: `));
    }
  });

  await t.step("a server of another name is none, unless the name doesn't matter", async () => {
    await using other = await ReplicaSet.standalone({ extraArgs: tlsArguments(folder, "elsewhere") });
    const at = (query: string) =>
      jobs.backUp(
        "F",
        `full${count++}`,
        `users=no uri=mongodb://127.0.0.1:${
          other.members[0]!.port
        }/?serverSelectionTimeoutMS=3000&${ca}${query}`,
      );
    await assert.rejects(at(""), /MONGO-301 /);
    assert.match(
      await at("&tlsAllowInvalidHostnames=true"),
      /W tlsAllowInvalidHostnames=true in the connection string: /,
    );
  });
});
