/** The exporter's status page in a real browser, and its restore lines in a real Bacula. */

import assert from "node:assert/strict";
import { histories, type History, historyEnd } from "../lab/histories.ts";
import { run } from "../lab/command.ts";
import { until } from "../lab/condition.ts";
import { Browser, type Look } from "../lab/browser.ts";
import { ScratchFolder } from "../lab/daemon.ts";
import { Exporter } from "../lab/exporter.ts";
import { ExporterSite } from "../lab/exporter_site.ts";
import { elementsOf, parseStrictHtml, textOf } from "../lab/strict_html.ts";
import { newestPosition, signingKey, System } from "./system.ts";

const looks: readonly Look[] = [390, 1280].flatMap((width) =>
  (["light", "dark"] as const).map((scheme) => ({ width, scheme }))
);

/** One resource of each kind, and as many more as are wanted. */
function manyHistories(count: number): History[] {
  const kinds = Object.entries(histories).map(([name, make]) => make(name, historyEnd));
  const others = Array.from(
    { length: count - kinds.length },
    (_, at) => histories[at % 9 === 0 ? "gap" : "oneJob"](`cluster-${at}`, historyEnd),
  );
  return [...kinds, ...others];
}

Deno.test("the status page in Chromium", async (t) => {
  await using scratch = await ScratchFolder.make("page");
  await using browser = await Browser.start();
  await using many = await ExporterSite.of(scratch.path, manyHistories(1000));
  await using none = await ExporterSite.of(scratch.path, []);
  await using missing = ExporterSite.serve(`${scratch.path}/missing`);
  const pages = [
    { name: "a thousand resources", url: `${many.url}/?days=365` },
    { name: "no resource", url: `${none.url}/` },
    { name: "no directory", url: `${missing.url}/`, complains: /status of 503/ },
    ...Object.keys(histories).map((name) => ({
      name: `the resource ${name}`,
      url: `${many.url}/resources/${name}`,
    })),
    {
      name: "the steps to an instant",
      url: `${many.url}/resources/gap?instant=2026-11-26T12:00:00Z`,
    },
  ];

  for (const { name, url, complains } of pages) {
    await t.step(`${name}: fits every width, in both colour schemes, without a complaint`, async () => {
      const grounds = new Set<unknown>();
      for (const look of looks) {
        const page = await browser.open(url, look);
        // What is behind a summary counts, too.
        await page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true");
        const where = `${url} ${look.width} ${look.scheme}`;
        assert.equal(await page.evaluate("document.documentElement.scrollWidth"), look.width, where);
        assert.deepEqual(await page.evaluate(tooWide), [], where);
        grounds.add(await page.evaluate("getComputedStyle(document.body).backgroundColor"));
        const screenshot = await page.screenshot();
        assert.ok(screenshot.length > 10_000, where);
        assert.deepEqual(page.complaints.filter((line) => complains?.test(line) !== true), [], where);
      }
      assert.equal(grounds.size, 2);
    });
  }

  await t.step("a row opens, and what can be reached by a key is seen to be reached", async () => {
    const page = await browser.open(`${many.url}/`, looks[0]!);
    const href = await page.evaluate("document.querySelector('.resource a').href");
    assert.match(String(href), /\/resources\/\w+$/);
    const row = await browser.open(String(href), looks[0]!);
    assert.match(String(await row.evaluate("document.querySelector('h1').textContent")), /^\w+/);
    assert.deepEqual(await row.evaluate(withoutOutline), []);
  });
});

/** Elements that stick out of the page, but for what scrolls by itself. */
const tooWide = `[...document.querySelectorAll("body *")].filter((one) =>
  !one.closest("svg, pre, thead") && one.getBoundingClientRect().right > document.documentElement.clientWidth + 0.5
).map((one) => one.outerHTML.slice(0, 100))`;

/** Elements that take the focus and don't show it. */
const withoutOutline = `[...document.querySelectorAll("a, input, button, summary, pre")].filter((one) => {
  one.focus({ focusVisible: true });
  return document.activeElement === one && getComputedStyle(one).outlineStyle === "none";
}).map((one) => one.outerHTML.slice(0, 100))`;

Deno.test("the page's lines, typed in bconsole, bring back what they say", async (t) => {
  await using system = await System.start({ set: { members: 1 } });
  const { lab, client } = system;
  const orders = client.db("app").collection<{ _id: number }>("orders");
  const idsIn = async (name = "orders") =>
    (await client.db("app").collection<{ _id: number }>(name).find().sort({ _id: 1 }).toArray())
      .map(({ _id }) => _id);
  await orders.insertOne({ _id: 1 });
  assert.equal((await lab.run("Mongo", "Full")).status, "T");
  await orders.insertOne({ _id: 2 });
  const { t: instant } = await newestPosition(client);
  await until("the next second", 30_000, async () => {
    await client.db("app").collection("clock").insertOne({});
    return (await newestPosition(client)).t > instant + 1;
  });
  await orders.insertOne({ _id: 3 });
  assert.equal((await lab.run("Mongo", "Incremental")).status, "T");

  await using exporter = await Exporter.start(`${lab.folder}/work`, { built: system.built.exporter });
  /** The lines below a heading of a resource's page. */
  const linesOf = async (heading: RegExp, path = "rs0") => {
    const answer = await fetch(`${exporter.url}/resources/${path}`);
    const page = parseStrictHtml(await answer.text());
    const steps = elementsOf(page).filter(({ name }) => name === "details").map((details) => {
      const part = (wanted: string) => elementsOf(details).find(({ name }) => name === wanted);
      return { title: textOf(part("summary")!), lines: part("pre") };
    });
    const found = steps.find(({ title }) => heading.test(title))?.lines;
    assert.ok(found, `no steps like ${heading} among ${steps.map(({ title }) => title).join(", ")}`);
    return textOf(found).split("\n");
  };
  const type = async (lines: readonly string[]) => {
    const said = await lab.console(lines);
    const jobId = /^Job queued\. JobId=(\d+)/m.exec(said)?.[1];
    assert.ok(jobId !== undefined && !said.includes("No files marked"), said);
    const job = await lab.wait(Number(jobId));
    assert.deepEqual([job.status, job.errors], ["T", 0], job.log);
  };

  await t.step("the newest state, into nothing", async () => {
    await client.db("app").dropDatabase();
    await type(await linesOf(/^Everything, as of the last backup$/));
    assert.deepEqual(await idsIn(), [1, 2, 3]);
  });

  await t.step("an instant within the Incremental, in place of what is there", async () => {
    await type(await linesOf(/^Everything, in place of/, `rs0?instant=${instant}`));
    assert.deepEqual(await idsIn(), [1, 2]);
  });

  await t.step("one collection beside the live one", async () => {
    await orders.insertOne({ _id: 4 });
    const lines = await linesOf(/^One collection beside/);
    await type(lines.map((line) => line.replaceAll("DATABASE.COLLECTION", "app.orders")));
    assert.deepEqual([await idsIn(), await idsIn("orders_restored")], [[1, 2, 4], [1, 2, 3]]);
  });

  await t.step("the plan alone changes nothing", async () => {
    await type(await linesOf(/^The plan alone/, `rs0?instant=${instant}`));
    assert.deepEqual(await idsIn(), [1, 2, 4]);
  });

  await t.step("a folder that Bacula doesn't know, by the command for the shell", async () => {
    const folder = `${lab.folder}/backups`;
    const uriFile = `${lab.folder}/uri`;
    await Deno.writeTextFile(uriFile, system.set.uri, { mode: 0o600 });
    for (const level of ["F", "I"]) {
      const work = ["--working-dir", `${lab.folder}/work`, "--level", level];
      const command = `podheitor-mongodb: uri_file=${uriFile} resource=alone include=app.orders`;
      const done = await system.backend(["backup", "--to", folder, ...work, command]);
      assert.equal(done.code, 0, done.stderr);
      await orders.insertOne({ _id: level === "F" ? 5 : 6 });
    }
    const [line] = await linesOf(/^Everything, in place of/, "alone");
    const script = line!.replace("podheitor-mongodb-backend", system.built.backend)
      .replace("FOLDER", folder).replace("FILE", uriFile);
    const env = { PODHEITOR_MONGODB_SIGNING_KEY: signingKey, PODHEITOR_MONGODB_USER: "root" };
    await run("sh", ["-c", script], { cwd: lab.folder, env });
    assert.deepEqual(await idsIn(), [1, 2, 4, 5]);
  });
});
