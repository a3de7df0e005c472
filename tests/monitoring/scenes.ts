/**
 * Which alerts fire on which history, and when: those and no others.
 *
 * @module
 */

import { histories, History, historyEnd } from "../lab/histories.ts";

const hour = 3600;
const day = 24 * hour;

/** Something that happens, and the alerts that it sets off. */
export interface Scene {
  readonly name: string;
  /** Null where no job has ever left a record. */
  readonly history: History | null;
  /** How many days before {@linkcode historyEnd} Prometheus began to scrape. */
  readonly days: number;
  /** What scrapes were like: answered, refused, or not configured. */
  readonly target: "up" | "down" | "none";
  /** Done to the working directory. */
  readonly spoil?: (folder: string) => void;
  /** By hours before {@linkcode historyEnd}: the names of all alerts that fire then, without their common beginning. */
  readonly fires: Readonly<Record<number, readonly string[]>>;
}

function start(before: number): History {
  return new History("rs0", historyEnd - before);
}

type Sketch = Partial<Scene> & Pick<Scene, "name" | "fires">;

function scene({ history = null, days = 3, target = "up", ...rest }: Sketch): Scene {
  return { history, days, target, ...rest };
}

/** The matrix. */
export const scenes: readonly Scene[] = [
  scene({
    name: "a year without a fault",
    history: histories.year("rs0", historyEnd),
    days: 7,
    fires: { 150: [], 118: [], 48: [], 0: [] },
  }),
  scene({
    name: "one good backup",
    history: histories.oneJob("rs0", historyEnd),
    days: 0.03,
    fires: { 0: [] },
  }),
  scene({ name: "no file at all", fires: { 71.5: [], 70: ["NothingRecorded"], 0: ["NothingRecorded"] } }),
  scene({
    name: "a file without a job",
    history: histories.empty("rs0", historyEnd),
    fires: { 71.5: [], 70: ["NoGoodBackup"], 0: ["NoGoodBackup"] },
  }),
  scene({
    name: "a source that was never reached",
    history: start(2 * day).failedBackup("F", "connect", "Cannot reach the source"),
    days: 1,
    fires: { 0: ["BackupFailed", "NoGoodBackup"] },
  }),
  scene({
    name: "an oplog that lost the end of the chain, the refusal, and the Full after it",
    history: histories.gap("rs0", historyEnd),
    days: 8,
    fires: {
      150: [],
      100: ["BackupStale"],
      60: ["BackupStale", "WindowEnding"],
      47.5: ["BackupStale", "ChainRefused", "WindowLost"],
      46: [],
      0: [],
    },
  }),
  scene({
    name: "a chain whose backups fail for two days",
    history: histories.failingChain("rs0", historyEnd),
    days: 4,
    fires: {
      60: [],
      48: ["BackupFailed"],
      24: ["BackupFailed", "BackupStale"],
      0: ["BackupFailed", "BackupStale", "WindowEnding"],
    },
  }),
  scene({
    name: "backups that nobody runs any more",
    history: start(5 * day).backup("F"),
    days: 5,
    fires: {
      95: [],
      92: ["BackupStale"],
      50: ["BackupStale", "WindowEnding"],
      0: ["BackupStale", "WindowLost"],
    },
  }),
  scene({
    name: "a rehearsal with findings",
    history: histories.failingRehearsal("rs0", historyEnd),
    days: 2,
    fires: { 23: [], 0: ["RehearsalFoundDifferences"] },
  }),
  scene({
    name: "a rehearsal with findings, and a proven one after it",
    history: histories.failingRehearsal("rs0", historyEnd).rehearsal(),
    days: 2,
    fires: { 0: [] },
  }),
  scene({
    name: "a rehearsal that could not compare everything",
    history: start(day).backup("F").restore({
      kind: "rehearsal",
      rehearsal: {
        job: "mongo-rs0",
        mongodVersion: "6.0.5",
        proven: false,
        provenCollections: 36,
        findings: [],
        unproven: ["shop.orders: it has no unique order"],
        findingsTotal: 0,
        unprovenTotal: 1,
      },
    }),
    days: 1,
    fires: { 0: ["RehearsalFailed"] },
  }),
  scene({
    name: "a chain that was never proven since five weeks",
    history: start(40 * day).backup("F").rehearsal().wait(39 * day).backup("F"),
    days: 8,
    fires: { 150: ["BackupStale", "WindowLost"], 0: ["RehearsalOld"] },
  }),
  scene({
    name: "a collection that isn't what the server counts",
    history: start(2 * day).backup("F").wait(day).failedBackup(
      "F",
      "incompleteRead",
      "shop.orders: 12 are missing",
    ).wait(hour),
    fires: { 23: ["BackupIncomplete"], 0: ["BackupIncomplete", "BackupStale"] },
  }),
  scene({
    name: "a parent that isn't known",
    history: start(day).backup("F").wait(hour).failedBackup("I", "parentUnknown", "The job isn't known here"),
    fires: { 0: ["ChainRefused"] },
  }),
  scene({
    name: "an operation that no restore could replay, and the Full that makes it good",
    history: start(day).backup("F").wait(hour).failedBackup("I", "oplogUnreplayable", "A renameCollection")
      .wait(4 * hour).backup("F"),
    fires: { 20: ["ChainRefused"], 0: [] },
  }),
  scene({
    name: "a last backup that no Full leads to",
    history: withoutFull(),
    days: 1,
    fires: { 0: ["ChainBroken"] },
  }),
  scene({
    name: "a backup that was cancelled",
    history: start(day).backup("F").wait(hour).failedBackup("I", "canceled", "The job was cancelled"),
    days: 1,
    fires: { 0: ["BackupFailed"] },
  }),
  scene({
    name: "a failed backup of which no reason is known",
    history: start(day).backup("F").wait(hour).failedBackup("I", "internal", "", { error: null }),
    days: 1,
    fires: { 0: ["BackupFailed"] },
  }),
  scene({
    name: "a backup with warnings in its log, and one without",
    history: start(day).backup("F", { warnings: 2 }).wait(8 * hour).backup("I"),
    days: 1,
    fires: { 20: ["BackupWarnings"], 0: [] },
  }),
  scene({
    name: "a standalone server, which has no oplog",
    history: start(day).backup("F", { oplog: null, oplogWindow: null, lagSeconds: null }),
    days: 1,
    fires: { 0: [] },
  }),
  scene({
    name: "a damaged stats file",
    history: histories.oneJob("rs0", historyEnd),
    days: 1,
    spoil: (folder) => Deno.writeTextFileSync(`${folder}/podheitor-mongodb-rs0-stats.json`, '{"format'),
    fires: { 0: ["SidecarUnreadable"] },
  }),
  scene({
    name: "a tip file that anybody may write to",
    history: histories.oneJob("rs0", historyEnd),
    days: 0.03,
    spoil: (folder) => Deno.chmodSync(`${folder}/podheitor-mongodb-rs0-tip.json`, 0o666),
    fires: { 0: ["SidecarUnreadable"] },
  }),
  scene({
    name: "a working directory that is gone",
    spoil: (folder) => Deno.renameSync(folder, `${folder}.gone`),
    fires: { 0: ["ExporterBlind"] },
  }),
  scene({ name: "an exporter that doesn't answer", target: "down", fires: { 0: ["ExporterDown"] } }),
  scene({ name: "an exporter that nobody scrapes", target: "none", fires: { 0: ["ExporterDown"] } }),
];

function withoutFull(): History {
  const history = start(day).backup("F").backup("I").backup("I");
  history.jobs.splice(1);
  history.tips = null;
  return history;
}
