/** A deployment that is found by an SRV name, from a real name server, with the permissions that the backend is installed with. */

import assert from "node:assert/strict";
import { MongoClient } from "mongodb";
import { run } from "../lab/command.ts";
import { until } from "../lab/condition.ts";
import { ScratchFolder } from "../lab/daemon.ts";
import { ReplicaSet } from "../lab/mongod.ts";
import { ensureTools } from "../lab/tools.ts";

const domain = "podheitor.test";

/** A name server on an address of this machine's own, for one domain and nobody else. Disposing of it ends it. */
async function startNameServer(address: string, records: readonly string[]): Promise<AsyncDisposable> {
  const child = new Deno.Command("setpriv", {
    args: [
      ...[
        "--pdeathsig",
        "KILL",
        "--",
        "dnsmasq",
        "--keep-in-foreground",
        "--conf-file=/dev/null",
        "--pid-file=",
      ],
      ...["--user=root", "--no-resolv", "--no-hosts", "--bind-interfaces", `--listen-address=${address}`],
      ...[`--local=/${domain}/`, ...records],
    ],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const nameServer = { ipAddr: address };
  await until("the name server to answer", 10_000, async () => {
    const found = await Deno.resolveDns(`m.set.${domain}`, "A", { nameServer }).catch(() => []);
    return found.length > 0;
  });
  return {
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.status;
    },
  };
}

Deno.test("an SRV name leads to the set, and its TXT record to the user's database (needs root, to be the resolver)", async () => {
  await ensureTools(["dnsmasq"]);
  await using set = await ReplicaSet.start({ members: 2, auth: { user: "root", password: "x" } });
  await using client = new MongoClient(set.uri);
  await client.db("people").command({
    createUser: "saver",
    pwd: "s@ver",
    roles: ["backup", "clusterMonitor"].map((role) => ({ role, db: "admin" })),
  });
  await client.db("app").collection("a").insertMany([{ a: 1 }, { a: 2 }], { writeConcern: { w: 2 } });

  await using scratch = await ScratchFolder.make("srv");
  const { path: folder } = scratch;
  const [, byte] = crypto.getRandomValues(new Uint8Array(2));
  const address = `127.0.53.${byte}`;
  await using _server = await startNameServer(address, [
    `--host-record=m.set.${domain},127.0.0.1`,
    ...set.members.flatMap(({ port }) =>
      ["told", "untold"].map((name) =>
        `--srv-host=_mongodb._tcp.${name}.set.${domain},m.set.${domain},${port}`
      )
    ),
    `--txt-record=told.set.${domain},authSource=people`,
  ]);
  await Deno.writeTextFile(`${folder}/resolv.conf`, `nameserver ${address}\n`);
  await Deno.mkdir(`${folder}/work`);
  const backUp = (name: string, query: string) =>
    run("unshare", [
      ...["--mount", "sh", "-c", 'mount --bind "$1" /etc/resolv.conf && shift && exec "$@"', "sh"],
      ...[`${folder}/resolv.conf`, Deno.execPath(), "run", "-A"],
      ...[new URL("../../packaging/run_backend.ts", import.meta.url).pathname, "backup"],
      ...["--to", `${folder}/to`, "--working-dir", `${folder}/work`],
      `podheitor-mongodb: resource=r sign=no uri=mongodb+srv://saver:s%40ver@${name}.set.${domain}/?tls=false&${query}`,
    ], { env: { NO_COLOR: "1" } });

  await backUp("told", "");
  await backUp("untold", "authSource=people");
  await assert.rejects(backUp("told", "authSource=admin"), /MONGO-302 .*Authentication failed/);
  await assert.rejects(backUp("untold", ""), /MONGO-302 .*Authentication failed/);
  await assert.rejects(backUp("nowhere", ""), /MONGO-\d+ .*nowhere\.set\.podheitor\.test/);
});
