/**
 * A strict stand-in for mongorestore, for machines without it: it takes the arguments that the product gives and no others, writes to a real server by
 * the connection string of its config file, and speaks like that tool. It refuses to be told a secret in any other way, and BSON that isn't whole.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import { parse } from "node:path/posix";
import { deserialize } from "bson";
import { MongoClient } from "mongodb";
import { readToolUri, sayAsTool } from "./fake_tool.ts";

/** What it does wrong, if anything. */
export type RestoreBehaviour =
  | "none"
  /** Killed amid the documents. */
  | "killed"
  /** Fails at once, and shows the connection string. */
  | "failing"
  /** Fails to restore one document, and ends well all the same. */
  | "rejecting"
  /** Leaves out one document and says nothing of it. */
  | "forgetful"
  /** Doesn't say how many. */
  | "silent"
  /** Says what no such tool says. */
  | "babbling"
  /** Takes nothing and doesn't end. */
  | "stuck"
  /** Takes all and doesn't end. */
  | "endless";

/** Puts it into a folder under the tool's name. It leaves there `environ`, what it had in its environment, and a line in `calls` for each run. */
export async function installFakeMongorestore(folder: string, behaviour: RestoreBehaviour): Promise<void> {
  const cache = JSON.parse(new TextDecoder().decode(
    (await new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).output()).stdout,
  ))["denoDir"];
  const config = new URL("../../deno.json", import.meta.url).pathname;
  const script = `#!/bin/sh
cat /proc/$$/environ > '${folder}/environ'
export DENO_DIR='${cache}' FAKE_MONGORESTORE_HOME='${folder}'
exec '${Deno.execPath()}' run -A --quiet --cached-only --config '${config}' '${import.meta.filename}' "$@"
`;
  await Deno.writeTextFile(`${folder}/restore_behaviour`, behaviour);
  await Deno.writeTextFile(`${folder}/calls`, "");
  await Deno.writeTextFile(`${folder}/mongorestore`, script);
  await Deno.chmod(`${folder}/mongorestore`, 0o755);
}

function refuse(reason: string): never {
  sayAsTool(`Failed: ${reason}`);
  sayAsTool("0 document(s) restored successfully. 0 document(s) failed to restore.");
  Deno.exit(1);
}

interface Call {
  readonly config: string;
  readonly db: string;
  readonly collection: string;
  readonly ordered: boolean;
  readonly w: string | number;
}

function readArguments(): Call {
  const given = new Map(
    Deno.args.map((arg) => {
      const [, name, value = ""] = /^--([A-Za-z]+)(?:=(.*))?$/s.exec(arg) ??
        refuse(`unknown argument ${arg}`);
      return [name!, value] as const;
    }),
  );
  if (given.size !== Deno.args.length) refuse("an argument is given twice");
  const take = (name: string) => {
    const value = given.get(name) ?? refuse(`--${name} is missing`);
    given.delete(name);
    return value;
  };
  const [config, db, collection] = [take("config"), take("db"), take("collection")];
  if (take("dir") !== "-") refuse("wanted --dir=-");
  if (take("numParallelCollections") !== "1") refuse("wanted --numParallelCollections=1");
  if (take("bypassDocumentValidation") + take("stopOnError") !== "") refuse("a flag has a value");
  const { w } = JSON.parse(take("writeConcern"));
  const ordered = given.delete("maintainInsertionOrder");
  if (given.size > 0) refuse(`unknown argument --${[...given.keys()]}`);
  return { config, db, collection, ordered, w };
}

/** The documents of its standard input, each looked into to its end. */
function readDocuments(): Uint8Array[] {
  const bytes = readFileSync("/dev/stdin");
  const documents: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = bytes.length - at < 5 ? 0 : bytes.readInt32LE(at);
    if (length < 5 || at + length > bytes.length || bytes[at + length - 1] !== 0) {
      refuse(`reading bson input: no document at ${at}`);
    }
    const document = bytes.subarray(at, at += length);
    deserialize(document);
    documents.push(document);
  }
  return documents;
}

async function main(): Promise<void> {
  const home = Deno.env.get("FAKE_MONGORESTORE_HOME")!;
  const behaviour = Deno.readTextFileSync(`${home}/restore_behaviour`) as RestoreBehaviour;
  const { config, db, collection, ordered, w } = readArguments();
  const uri = readToolUri(config, refuse);
  Deno.writeTextFileSync(`${home}/calls`, `${parse(config).base} ${db}.${collection} ${ordered} ${w}\n`, {
    append: true,
  });
  const forever = () => new Promise<never>(() => setInterval(() => {}, 1000));
  if (behaviour === "stuck") await forever();
  if (behaviour === "failing") refuse(`error connecting: connection string ${uri} is no good`);
  if (behaviour === "babbling") {
    Deno.stderr.writeSync(Uint8Array.from({ length: 100_000 }, (_, at) => at % 256));
    Deno.exit(0);
  }
  const client = await new MongoClient(uri).connect();
  const listed = await client.db(db).listCollections({ name: collection }).toArray();
  // The tool would make it, without its options.
  if (listed.length !== 1) refuse(`the collection ${db}.${collection} isn't there`);
  sayAsTool("checking for collection data in -");
  sayAsTool(`restoring to existing collection ${db}.${collection} without dropping`);
  sayAsTool(`restoring ${db}.${collection} from -`);
  const documents = readDocuments();
  const half = documents.slice(0, Math.ceil(documents.length / 2));
  const given = behaviour === "killed"
    ? half
    : behaviour === "rejecting" || behaviour === "forgetful"
    ? documents.slice(1)
    : documents;
  const insert = async (some: Uint8Array[]) => {
    const raw = some.map((one) => deserialize(one, { promoteValues: false, promoteLongs: false }));
    await client.db(db).collection(collection).insertMany(raw, {
      ordered,
      bypassDocumentValidation: true,
      writeConcern: { w: w as "majority" },
    });
  };
  if (given.length > 0) await insert(given);
  if (behaviour === "killed") Deno.kill(Deno.pid, "SIGKILL");
  if (behaviour === "endless") await forever();
  await client.close();
  sayAsTool(`[########################]  ${db}.${collection}  1.0MB/1.0MB  (100.0%)`);
  const failures = behaviour === "rejecting" ? 1 : 0;
  if (failures > 0) sayAsTool("continuing through error: E11000 duplicate key error");
  sayAsTool(`finished restoring ${db}.${collection} (${given.length} documents, ${failures} failures)`);
  if (behaviour !== "silent") {
    sayAsTool(
      `${given.length} document(s) restored successfully. ${failures} document(s) failed to restore.`,
    );
  }
  Deno.exit(0);
}

if (import.meta.main) await main();
