/**
 * Takes the pictures of the exporter's pages that documents show: `deno task screenshots`.
 *
 * @module
 */

import { Browser } from "./lab/browser.ts";
import { ScratchFolder } from "./lab/daemon.ts";
import { ExporterSite } from "./lab/exporter_site.ts";
import { histories, historyEnd } from "./lab/histories.ts";

/** Text can be read well at that size, and the pictures are small files. */
const scale = 0.75;

const folder = new URL("../docs/images/", import.meta.url).pathname;

const shown = [histories.failingChain("billing", historyEnd), histories.year("shop", historyEnd)];

/** A part of a page, from a heading on. */
const pictures = [
  { file: "status_page.png", path: "/", from: "header", look: { width: 980, scheme: "light" }, height: 660 },
  {
    file: "restore_steps.png",
    path: "/resources/shop?instant=2026-11-25T08:15:00Z",
    from: "main h2",
    look: { width: 860, scheme: "dark" },
    height: 860,
  },
] as const;

await using scratch = await ScratchFolder.make("screenshots");
await using site = await ExporterSite.of(scratch.path, shown);
await using browser = await Browser.start();
await Deno.mkdir(folder, { recursive: true });
for (const { file, path, from, look, height } of pictures) {
  const page = await browser.open(`${site.url}${path}`, look);
  const y = Number(await page.evaluate(`document.querySelector("${from}").getBoundingClientRect().top`));
  await Deno.writeFile(`${folder}${file}`, await page.screenshot({ y: Math.max(0, y - 16), height, scale }));
  console.log(`${folder}${file}`);
}
