/**
 * The benchmark, `deno task bench`: the built backend at work on real replica sets, against programs that do less or the same.
 *
 *     deno task bench [--json] [--size MB] [--runs N] [part…]
 *
 * | part     | what is measured                                                                    |
 * | -------- | ----------------------------------------------------------------------------------- |
 * | checksum | BLAKE3 and CRC32C                                                                   |
 * | dump     | Fulls and restores of `--size` MB, against a bare reader and a bare writer          |
 * | memory   | Fulls of 1, 2 and 4 times 2.5 times `--size` MB                                     |
 * | ranges   | Fulls of one collection of `--size` MB: natural order against ranges, near and far  |
 * | writes   | what the primary's writes cost while a Full is read from a secondary, or from itself |
 * | bacula   | Fulls of `--size` MB through a real File Daemon, against plain files                |
 * | slice    | an Incremental, against a reader that throws away the same slice of the oplog       |
 * | replay   | a restore's replay of an oplog, against one entry after the other                   |
 * | exporter | scrapes of a year's jobs of 1,000 resources, the first against a bare parser; memory |
 *
 * Without names, all of them, in some forty minutes. Subjects run by turns, N times (5), over 400 MB; medians are shown. mongodump,
 * mongorestore and b3sum are measured where they are on PATH. Only replay and restore are judged, by their ratios: times belong to a machine and its
 * load.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { build } from "../packaging/build.ts";
import { measureBacula } from "./bench/bacula.ts";
import { measureChecksums } from "./bench/checksums.ts";
import { measureDumps } from "./bench/dump.ts";
import { measureExporter } from "./bench/exporter.ts";
import { measureMemory } from "./bench/memory.ts";
import { measureRanges } from "./bench/ranges.ts";
import { measureReplay } from "./bench/replay.ts";
import { formatReport, type Report, type Table } from "./bench/report.ts";
import { measureSlicing } from "./bench/slicing.ts";
import type { Bench } from "./bench/turns.ts";
import { measureWrites } from "./bench/writes.ts";
import { isOnPath } from "./lab/command.ts";
import { ScratchFolder } from "./lab/daemon.ts";
import { findMongod } from "./lab/mongod_binary.ts";

const parts = [
  "checksum",
  "dump",
  "memory",
  "ranges",
  "writes",
  "bacula",
  "slice",
  "replay",
  "exporter",
] as const;

type Part = (typeof parts)[number];

interface Settings {
  readonly json: boolean;
  readonly sizeMB: number;
  readonly runs: number;
  readonly parts: ReadonlySet<Part>;
}

const peers = ["mongodump", "mongorestore", "b3sum"];

async function bench({ sizeMB, runs, parts }: Settings): Promise<Report> {
  const startedAt = performance.now();
  const loadBefore = loadOfLastMinute();
  const missing: string[] = [];
  for (const peer of peers) if (!await isOnPath(peer)) missing.push(peer);
  const { backend, plugin, exporter } = await build();
  const { version } = await findMongod();
  /** Runs a part, if it is wanted, with a folder of its own. */
  async function take<T>(part: Part, measure: (bench: Bench) => Promise<T>): Promise<T[]> {
    if (!parts.has(part)) return [];
    await using scratch = await ScratchFolder.make("bench");
    const say = (text: string) => console.error(`bench: ${part}: ${text}`);
    return [
      await measure({
        backend,
        plugin,
        exporter,
        folder: scratch.path,
        runs,
        isMissing: (peer) => missing.includes(peer),
        say,
      }),
    ];
  }
  const checksums = await take("checksum", ({ folder }) => measureChecksums(runs, folder));
  const tables: Table[] = [
    ...(await take("dump", (bench) => measureDumps(bench, sizeMB * 1e6))).flat(),
    ...await take("memory", (bench) => measureMemory(bench, sizeMB * 2.5e6)),
    ...(await take("ranges", (bench) => measureRanges(bench, sizeMB * 1e6))).flat(),
    ...await take("writes", (bench) => measureWrites(bench, sizeMB * 1e6)),
    ...await take("bacula", (bench) => measureBacula(bench, sizeMB * 1e6)),
    ...await take("slice", measureSlicing),
    ...await take("replay", measureReplay),
    ...await take("exporter", measureExporter),
  ];
  return {
    server: version,
    cores: navigator.hardwareConcurrency,
    load: [loadBefore, loadOfLastMinute()],
    runs,
    seconds: (performance.now() - startedAt) / 1000,
    tables,
    checksums: checksums.flat(),
    missing,
  };
}

function loadOfLastMinute(): number {
  return Deno.loadavg()[0] ?? NaN;
}

/** @throws TypeError for arguments that mean nothing */
function readArguments(args: string[]): Settings {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { json: { type: "boolean" }, size: { type: "string" }, runs: { type: "string" } },
  });
  return {
    json: values.json === true,
    sizeMB: readNumber("--size", values.size ?? "400"),
    runs: readNumber("--runs", values.runs ?? "5"),
    parts: new Set(positionals.length === 0 ? parts : positionals.map(readPart)),
  };
}

function readPart(name: string): Part {
  const part = parts.find((part) => part === name);
  if (part === undefined) throw new TypeError(`no part is called ${name}; there are ${parts.join(", ")}`);
  return part;
}

function readNumber(name: string, text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) {
    throw new TypeError(`${name} is "${text}", wanted a number from 1 to 999999`);
  }
  return Number(text);
}

async function main(): Promise<number> {
  let settings: Settings;
  try {
    settings = readArguments(Deno.args);
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    console.error(`Cannot run the benchmark: ${cause.message}`);
    return 2;
  }
  const report = await bench(settings);
  console.log(settings.json ? JSON.stringify(report) : formatReport(report));
  return 0;
}

Deno.exit(await main());
