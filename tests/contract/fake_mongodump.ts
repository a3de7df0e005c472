/**
 * A strict stand-in for mongodump, for machines without it: it takes the arguments that the product gives and no others, reads a real server by the
 * connection string of its config file, and speaks like that tool. It refuses to be told a secret in any other way.
 *
 * @module
 */

import { parse } from "node:path/posix";
import { MongoClient } from "mongodb";
import { readToolUri, sayAsTool } from "./fake_tool.ts";

/** What it does wrong, if anything. */
export type Behaviour =
  | "none"
  /** Killed amid the documents. */
  | "killed"
  /** Ends well with half of a document missing. */
  | "truncated"
  /** Says one document more than it gave. */
  | "miscounted"
  /** Doesn't say how many. */
  | "silent"
  /** Fails at once, and shows the connection string. */
  | "failing"
  /** Gives something, then nothing any more. */
  | "stuck";

/** Puts it into a folder under the tool's name. It leaves the path of its config file in `config` there. */
export async function installFakeMongodump(folder: string, behaviour: Behaviour): Promise<void> {
  const cache = JSON.parse(new TextDecoder().decode(
    (await new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).output()).stdout,
  ))["denoDir"];
  const config = new URL("../../deno.json", import.meta.url).pathname;
  const script = `#!/bin/sh
export DENO_DIR='${cache}' FAKE_MONGODUMP_HOME='${folder}'
exec '${Deno.execPath()}' run -A --quiet --cached-only --config '${config}' '${import.meta.filename}' "$@"
`;
  await Deno.writeTextFile(`${folder}/behaviour`, behaviour);
  await Deno.writeTextFile(`${folder}/mongodump`, script);
  await Deno.chmod(`${folder}/mongodump`, 0o755);
}

function refuse(reason: string): never {
  sayAsTool(`Failed: ${reason}`);
  Deno.exit(1);
}

function readArguments(): Record<"config" | "db" | "collection", string> {
  const given = new Map(
    Deno.args.map((arg) =>
      /^--([a-z]+)=(.*)$/s.exec(arg)?.slice(1) as [string, string] ?? refuse(`unknown argument ${arg}`)
    ),
  );
  const [config, db, collection] = ["config", "db", "collection"].map((name) =>
    given.get(name) ?? refuse(`--${name} is missing`)
  );
  if (given.size !== 4 || Deno.args.length !== 4 || given.get("out") !== "-") {
    refuse("wanted --config, --db, --collection and --out=-");
  }
  return { config: config!, db: db!, collection: collection! };
}

async function main(): Promise<void> {
  const home = Deno.env.get("FAKE_MONGODUMP_HOME")!;
  const behaviour = Deno.readTextFileSync(`${home}/behaviour`) as Behaviour;
  const { config, db, collection } = readArguments();
  const uri = readToolUri(config, refuse);
  Deno.writeTextFileSync(`${home}/config`, parse(config).base);
  if (behaviour === "failing") refuse(`can't create session: connection string ${uri} is no good`);
  const client = await new MongoClient(uri, { readPreference: "secondaryPreferred" }).connect();
  sayAsTool(`writing \`${db}.${collection}\` to stdout`);
  let count = 0;
  const write = (bytes: Uint8Array) => {
    for (let at = 0; at < bytes.length;) at += Deno.stdout.writeSync(bytes.subarray(at));
  };
  const documents = await client.db(db).collection(collection).find({}, { raw: true })
    .toArray() as unknown as Uint8Array[];
  for (const document of documents) {
    const isHalf = count === Math.floor(documents.length / 2) && documents.length > 1;
    if (isHalf && behaviour !== "none") {
      if (behaviour === "killed") Deno.kill(Deno.pid, "SIGKILL");
      if (behaviour === "stuck") await new Promise(() => setInterval(() => {}, 1000));
      if (behaviour === "truncated") {
        write(document.subarray(0, document.length - 1));
        break;
      }
    }
    write(document);
    count++;
  }
  await client.close();
  sayAsTool(`[########################]  ${db}.${collection}  ${count}/${count}  (100.0%)`);
  const said = behaviour === "miscounted" ? count + 1 : count;
  if (behaviour !== "silent") sayAsTool(`dumped ${said} ${said === 1 ? "document" : "documents"}`);
  Deno.exit(0);
}

if (import.meta.main) await main();
