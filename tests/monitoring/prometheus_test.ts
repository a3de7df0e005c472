/** A real Prometheus with the example's configuration and the rules scrapes a real exporter over histories and over what real jobs left. */

import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { MongoClient } from "mongodb";
import * as yaml from "yaml";
import { build } from "../../packaging/build.ts";
import { run } from "../lab/command.ts";
import { until } from "../lab/condition.ts";
import { Exporter } from "../lab/exporter.ts";
import { withFolder } from "../lab/folder.ts";
import { histories } from "../lab/histories.ts";
import { ReplicaSet } from "../lab/mongod.ts";
import { ensureTools } from "../lab/tools.ts";
import { interpolate, readDashboard } from "./dashboard.ts";
import { PrometheusServer } from "./prometheus_server.ts";

const shipped = new URL("../../packaging/prometheus/", import.meta.url).pathname;

/** Of the resource that real jobs were run of. */
const isReal = 'podheitor_mongodb_resource_success{resource="rs0"}';

/** Alerts by resource that fire on what the working directory has. */
const wanted: Readonly<Record<string, readonly string[]>> = {
  year: [],
  oneJob: [],
  gap: [],
  empty: ["NoGoodBackup"],
  failingChain: ["BackupFailed", "BackupStale", "WindowEnding"],
  failingRehearsal: ["RehearsalFoundDifferences"],
  broken: ["SidecarUnreadable"],
  // Of one member only, the primary has to be read.
  rs0: ["BackupWarnings"],
};

Deno.test("each history has its alerts, or none", () => {
  deepStrictEqual(Object.keys(histories).filter((name) => wanted[name] === undefined), []);
});

Deno.test("Prometheus scrapes the exporter, and its alerts fire", async (t) => {
  await ensureTools(["promtool"]);
  await withFolder(async (folder) => {
    const working = `${folder}/working`;
    await Deno.mkdir(working);
    const now = Math.floor(Date.now() / 1000);
    for (const [name, make] of Object.entries(histories)) await make(name, now).write(working);
    await Deno.writeTextFile(`${working}/podheitor-mongodb-broken-stats.json`, "{", { mode: 0o640 });
    await runRealJobs(folder, working);
    await using exporter = await Exporter.start(working);
    await using prometheus = await PrometheusServer.start(await configure(folder, exporter.url));

    await t.step("the target is up", async () => {
      await until("a scrape", 60_000, async () => (await prometheus.query("up")).length > 0);
      deepStrictEqual((await prometheus.targets()).map(({ health, lastError }) => [health, lastError]), [
        ["up", ""],
      ]);
      const [up] = await prometheus.query('up{job="podheitor-mongodb"}');
      strictEqual(up?.value[1], "1");
    });

    await t.step("every series that the exporter serves is there", async () => {
      const text = await (await fetch(`${exporter.url}/metrics`)).text();
      const served = text.split("\n").filter((line) => /^podheitor/.test(line)).length;
      const [stored] = await prometheus.query('count({__name__=~"podheitor_.+"})');
      ok(served > 300);
      strictEqual(Number(stored?.value[1]), served);
    });

    await t.step("the real jobs are seen: a Full, and an Incremental that continues it", async () => {
      const value = async (name: string) => {
        const [sample] = await prometheus.query(`podheitor_mongodb_${name} and on (resource) ${isReal}`);
        return Number(sample?.value[1]);
      };
      strictEqual(await value("last_backup_success"), 1);
      strictEqual(await value("chain_jobs"), 2);
      ok(Math.abs(await value("last_success_timestamp") - Date.now() / 1000) < 600);
      ok(await value("oplog_lag_seconds") < 600);
      ok(await value("chain_end_timestamp_seconds") >= await value("chain_start_timestamp_seconds"));
      ok(await value('last_backup_documents{level="full"}') >= 1);
      ok(await value('last_backup_oplog_entries{level="incremental"}') >= 1);
    });

    await t.step("the alerts of each history fire, and no others", async () => {
      const seen = async () => {
        const firing = (await prometheus.alerts()).filter(({ state }) => state === "firing");
        const of = (resource: string) =>
          firing.filter(({ labels }) => labels.resource === resource)
            .map(({ labels }) => labels.alertname!.replace("PodHeitorMongoDB", "")).sort();
        return Object.fromEntries(Object.keys(wanted).map((resource) => [resource, of(resource)]));
      };
      const now = Date.now();
      await until(
        "all rules to be evaluated",
        60_000,
        async () => (await prometheus.evaluations()).every((at) => Date.parse(at) > now),
      );
      deepStrictEqual(await seen(), wanted);
    });

    await t.step("each alert that fires says so in whole sentences", async () => {
      for (const { labels, annotations } of await prometheus.alerts()) {
        const { summary, description } = annotations;
        ok(summary!.includes(labels.resource ?? "exporter"), summary);
        for (const text of [summary!, description!]) {
          match(text, /^[\w+-].*[\w.%]$/);
          strictEqual(/\{\{|no value|error/.test(text), false, text);
        }
      }
    });

    await t.step("every query of the dashboard has an answer", async () => {
      for (const { title, targets } of (await readDashboard()).panels) {
        for (const { expr } of targets ?? []) {
          const query = interpolate(expr);
          ok((await prometheus.query(query)).length > 0, `${title}: ${query}`);
        }
      }
    });

    await t.step("an exporter that has gone is an alert", async () => {
      await exporter.stop();
      await until(
        "the alert",
        60_000,
        async () =>
          (await prometheus.alerts()).some(({ labels, state }) =>
            labels.alertname === "PodHeitorMongoDBExporterDown" && state === "firing"
          ),
      );
    });
  });
});

/** A Full and an Incremental of a real server, from the command line. */
async function runRealJobs(folder: string, working: string): Promise<void> {
  await using set = await ReplicaSet.start({ members: 1 });
  await using client = await new MongoClient(set.uri).connect();
  const { backend } = await build();
  const env = {
    PODHEITOR_MONGODB_SIGNING_KEY: new Uint8Array(32).fill(0x5a).toBase64(),
    PODHEITOR_MONGODB_USER: "root",
  };
  for (const level of ["F", "I"]) {
    await client.db("shop").collection<{ _id: string }>("orders").insertOne({ _id: level });
    const args = ["--to", `${folder}/backups`, "--job", level, "--level", level, "--working-dir", working];
    await run(backend, ["backup", ...args, `podheitor-mongodb: uri=${set.uri}`], { env });
  }
}

/** The example's configuration with the exporter's address and without patience. */
async function configure(folder: string, url: string): Promise<string> {
  const impatient = (text: string) =>
    text.replaceAll(/^( *(?:scrape|evaluation)_interval): .*$/gm, "$1: 500ms").replaceAll(
      /^ *for: .*\n/gm,
      "",
    );
  const rules = await Deno.readTextFile(`${shipped}podheitor-mongodb.rules.yml`);
  await Deno.writeTextFile(`${folder}/podheitor-mongodb.rules.yml`, impatient(rules));
  const configuration = yaml.parseDocument(impatient(await Deno.readTextFile(`${shipped}scrape.yml`)));
  configuration.setIn(["scrape_configs", 0, "static_configs", 0, "targets"], [new URL(url).host]);
  const path = `${folder}/prometheus.yml`;
  await Deno.writeTextFile(path, configuration.toString());
  return path;
}
