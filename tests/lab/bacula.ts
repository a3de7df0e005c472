/**
 * A Bacula 15.0.3 of one's own for a test: Director, Storage Daemon, File Daemon and catalog on 127.0.0.1, from nothing but Debian's
 * packages.
 *
 * @module
 */

import { configFiles, plainJob, quote } from "./bacula_config.ts";
import { BaculaPrograms } from "./bacula_programs.ts";
import { restoreCommand, type RestoreRequest } from "./bacula_restore.ts";
import { until } from "./condition.ts";
import { Daemon, freePort, ScratchFolder } from "./daemon.ts";
import { SecretWatch } from "./secret_watch.ts";

/** What a lab is to be. */
export interface BaculaLabOptions {
  /** Where the lab's folders go; they then stay there. Without it, a folder that is removed at the end. */
  readonly dir?: string;
  /** Path of a plugin's shared object for the File Daemon. */
  readonly plugin?: string;
  /** The `Plugin =` lines of each backup job, by the job's name. The job `Plain`, which saves the folder `data`, is always there. */
  readonly pluginCommands?: Readonly<Record<string, string | readonly string[]>>;
  /** Added to the environment of the File Daemon. */
  readonly env?: Record<string, string>;
  /** When a volume is full, as Bacula writes it; "1G" by default. */
  readonly maxVolumeBytes?: string;
  /** Names of jobs that run in accurate mode. */
  readonly accurateJobs?: readonly string[];
  /** A File Daemon of another build than this machine's own; its plugin has to be of the same. */
  readonly fdPrograms?: BaculaPrograms;
  /** Debug level of the File Daemon, whose output is in `log/bacula-fd.out`. */
  readonly fdDebug?: number;
  /** Jobs that may run at the same time, 10 by default. */
  readonly maxConcurrentJobs?: number;
  /** Whether the Storage Daemon checksums its blocks, as it does by default; without it, a changed volume is for the plugin to notice. */
  readonly blockChecksum?: boolean;
}

/** Level of a backup job. */
export type BackupLevel = "Full" | "Incremental" | "Differential";

/** What became of a job, as the catalog has it. */
export interface JobResult {
  readonly jobId: number;
  /** What Bacula calls this run of the job: its name and time. */
  readonly name: string;
  /** Local time, as the catalog writes it. */
  readonly startTime: string;
  /** Bacula's letter: `T` well (also with warnings), `E` or `f` failed, `A` cancelled. */
  readonly status: string;
  readonly errors: number;
  readonly files: number;
  readonly bytes: number;
  /** The job log. */
  readonly log: string;
}

const daemonNames = ["sd", "fd", "dir"] as const;

/** One of the lab's daemons: Director, File Daemon, Storage Daemon. */
export type DaemonName = typeof daemonNames[number];

/** A running Bacula. */
export class BaculaLab implements AsyncDisposable {
  /** Holds `data` (what the job `Plain` saves), `restore` (empty), `work`, `plugins`, `vol`, `log`, `etc` and `run`. */
  readonly folder: string;
  readonly #programs: BaculaPrograms;
  readonly #options: BaculaLabOptions;
  readonly #ports = { dir: freePort(), fd: freePort(), sd: freePort() };
  readonly #daemons = new Map<DaemonName, Daemon>();
  readonly #watch = new SecretWatch(() => this.#daemons.get("fd")?.pid ?? null);
  #resources = new AsyncDisposableStack();

  private constructor(folder: string, programs: BaculaPrograms, options: BaculaLabOptions) {
    this.folder = folder;
    this.#programs = programs;
    this.#options = options;
  }

  /** Starts the three daemons; resolves when all of them listen. */
  static async start(options: BaculaLabOptions = {}): Promise<BaculaLab> {
    const programs = await BaculaPrograms.find();
    await using resources = new AsyncDisposableStack();
    const folder = options.dir ?? resources.use(await ScratchFolder.make("bacula")).path;
    const lab = new BaculaLab(folder, programs, options);
    resources.defer(() => lab.#searchSecrets());
    resources.defer(() => lab.#endDaemons());
    await lab.#lay();
    await Promise.all(daemonNames.map((name) => lab.#startDaemon(name)));
    lab.#resources = resources.move();
    return lab;
  }

  /** Process id of the File Daemon; changes when it is restarted. */
  get fdPid(): number {
    return this.#daemon("fd").pid;
  }

  /** Feeds lines to bconsole, one command or answer each, and returns all that it says. */
  async console(lines: readonly string[]): Promise<string> {
    const input = [...lines, "quit"].map((line) => `${line}\n`).join("");
    const args = ["-n", "-c", `${this.folder}/etc/bconsole.conf`];
    const said = await this.#programs.run("bconsole", args, input);
    this.#watch.hear(said);
    return said;
  }

  /** Runs a backup job to its end. */
  async run(job: string, level?: BackupLevel): Promise<JobResult> {
    return await this.wait(await this.start(job, level));
  }

  /** Starts a backup job; resolves to its JobId when it is queued. */
  async start(job: string, level?: BackupLevel): Promise<number> {
    return await this.#queue([`run job=${quote(job)}${level ? ` level=${level}` : ""} yes`]);
  }

  /** Waits for the end of a job, whatever it is. */
  async wait(jobId: number, timeoutMs = 300_000): Promise<JobResult> {
    // The status comes into the catalog before the last lines of the log do.
    const ended = `select 1 from Log where JobId=${jobId} and LogText like '%Termination:%'`;
    await until(`the end of job ${jobId}`, timeoutMs, async () => (await this.query(ended)).length > 0);
    const [job] = await this.query(
      `select Job, StartTime, JobStatus, JobErrors, JobFiles, JobBytes from Job where JobId=${jobId}`,
    );
    const [name = "", startTime = "", status = "", errors, files, bytes] = job ?? [];
    const log = await this.query(`select LogText from Log where JobId=${jobId} order by LogId`);
    return {
      jobId,
      name,
      startTime,
      status,
      errors: Number(errors),
      files: Number(files),
      bytes: Number(bytes),
      // Bacula leaves a backslash at the end of each text.
      log: log.flat().map((text) => text.replace(/\\$/, "")).join(""),
    };
  }

  /** Asks the Director to cancel a job; returns what it says. */
  async cancel(jobId: number): Promise<string> {
    return await this.console([`cancel jobid=${jobId} yes`]);
  }

  /** Runs a restore job to its end. */
  async restore(request: RestoreRequest): Promise<JobResult> {
    return await this.wait(await this.startRestore(request));
  }

  /** Starts a restore job; resolves to its JobId when it is queued. */
  async startRestore(request: RestoreRequest): Promise<number> {
    return await this.#queue(restoreCommand(request));
  }

  /** What bconsole says to `estimate`. */
  async estimate(job: string, options: { listing?: boolean; level?: BackupLevel } = {}): Promise<string> {
    const { listing = false, level = "Full" } = options;
    return await this.console([`estimate job=${quote(job)} level=${level}${listing ? " listing" : ""}`]);
  }

  /** What bconsole says to `status`. */
  async status(of: "client" | "storage" | "director"): Promise<string> {
    const name = { client: "=lab-fd", storage: "=lab-sd", director: "" }[of];
    return await this.console([`status ${of}${name}`]);
  }

  /** Paths of the files that the catalog has for a backup job, in the order of the backup. */
  async listFiles(jobId: number): Promise<string[]> {
    const sql = "select Path || Filename from File join Path using (PathId) " +
      `where JobId=${jobId} and FileIndex > 0 order by FileIndex`;
    return (await this.query(sql)).flat();
  }

  /** Paths of the volumes, which are plain files. */
  volumes(): string[] {
    return [...Deno.readDirSync(`${this.folder}/vol`)].map(({ name }) => `${this.folder}/vol/${name}`).sort();
  }

  /** Runs SQL on the catalog, also to change it, and returns the rows; NULL is an empty text. */
  async query(sql: string): Promise<string[][]> {
    const [column, row] = ["\x1f", "\x1e"];
    const args = ["-batch", "-list", "-separator", column, "-newline", row, `${this.folder}/work/bacula.db`];
    const answer = await this.#programs.run("sqlite3", args, `.timeout 20000\n${sql};\n`);
    return answer.split(row).slice(0, -1).map((line) => line.split(column));
  }

  /** Sends a signal to a daemon; resolves when it is gone, unless the signal is SIGSTOP or SIGCONT. */
  async signalDaemon(name: DaemonName, signal: Deno.Signal): Promise<void> {
    await this.#daemon(name).kill(signal);
  }

  /** Ends a daemon and starts it again; resolves when it listens. */
  async restartDaemon(name: DaemonName): Promise<void> {
    await this.#daemon(name).stop(10_000);
    await this.#startDaemon(name);
  }

  /** Ends the daemons, looks for secrets in what they leave, and removes the lab's folder, unless that is the caller's. */
  async stop(): Promise<void> {
    await this.#resources.disposeAsync();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** Makes folders, configuration and an empty catalog. */
  async #lay(): Promise<void> {
    for (const name of ["etc", "run", "work", "plugins", "vol", "restore", "data", "log"]) {
      await Deno.mkdir(`${this.folder}/${name}`, { recursive: true });
    }
    const {
      plugin,
      pluginCommands = {},
      accurateJobs = [],
      maxVolumeBytes = "1G",
      maxConcurrentJobs = 10,
      blockChecksum = true,
    } = this.#options;
    const unknown = accurateJobs.filter((name) => name !== plainJob && !Object.hasOwn(pluginCommands, name));
    if (unknown.length > 0) {
      throw new Error(`accurateJobs names jobs that the lab doesn't have: ${unknown.join(", ")}`);
    }
    const files = configFiles({
      folder: this.folder,
      ports: this.#ports,
      pluginCommands,
      accurateJobs,
      maxVolumeBytes,
      maxConcurrentJobs,
      blockChecksum,
    });
    for (const [name, text] of Object.entries(files)) {
      await Deno.writeTextFile(`${this.folder}/etc/${name}`, text);
    }
    // Bacula looks for plugins only when the File Daemon starts.
    if (plugin !== undefined) {
      await Deno.copyFile(plugin, `${this.folder}/plugins/${plugin.split("/").at(-1)}`);
    }
    await this.query(await Deno.readTextFile(this.#programs.catalogScriptPath));
  }

  async #startDaemon(name: DaemonName): Promise<void> {
    const program = `bacula-${name}` as const;
    // Level 0 would be debugging at level 1.
    const debug = name === "fd" && this.#options.fdDebug ? ["-d", `${this.#options.fdDebug}`] : [];
    const programs = (name === "fd" ? this.#options.fdPrograms : undefined) ?? this.#programs;
    const daemon = Daemon.start({
      ...programs.commandLine(program, "-f", ...debug, "-c", `${this.folder}/etc/${program}.conf`),
      // The lab's folders belong to whoever runs it.
      env: name === "fd" ? { PODHEITOR_MONGODB_USER: "root", ...this.#options.env } : {},
      logPath: `${this.folder}/log/${program}.out`,
      port: this.#ports[name],
    });
    this.#daemons.set(name, daemon);
    await daemon.listening();
  }

  #daemon(name: DaemonName): Daemon {
    const daemon = this.#daemons.get(name);
    if (daemon === undefined) throw new Error(`bacula-${name} was never started`);
    return daemon;
  }

  async #queue(lines: readonly string[]): Promise<number> {
    const said = await this.console(lines);
    const jobId = /^Job queued\. JobId=(\d+)/m.exec(said)?.[1];
    if (jobId === undefined || said.includes("No files marked")) {
      throw new Error(`${lines.join(" ⏎ ")}: the job was not queued as asked\n${said}`);
    }
    return Number(jobId);
  }

  /** What the plugin knows and must keep is nowhere in what its jobs have left. */
  async #searchSecrets(): Promise<void> {
    this.#watch.end();
    // One that didn't even start has a reason of its own to give.
    if (this.#daemons.size < daemonNames.length) return;
    const objects = "select ObjectCompression, RestoreObject from RestoreObject";
    await this.#watch.search(this.folder, await this.query(objects));
  }

  async #endDaemons(): Promise<void> {
    const patienceMs = this.#options.dir === undefined ? 0 : 10_000;
    await Promise.all([...this.#daemons.values()].map((daemon) => daemon.stop(patienceMs)));
  }
}
