/**
 * The configuration of a lab's Bacula daemons.
 *
 * @module
 */

/** What the configuration is made of. */
export interface BaculaConfig {
  /** Holds `etc`, `work`, `run`, `plugins`, `vol`, `log` and `data`. */
  readonly folder: string;
  readonly ports: { readonly dir: number; readonly fd: number; readonly sd: number };
  /** `Plugin =` lines by the name of their job, which is also the FileSet's name. */
  readonly pluginCommands: Readonly<Record<string, string | readonly string[]>>;
  /** Names of jobs that run in accurate mode. */
  readonly accurateJobs: readonly string[];
  /** As Bacula writes it: "1G". */
  readonly maxVolumeBytes: string;
  readonly maxConcurrentJobs: number;
  /** Whether the Storage Daemon checksums its blocks. */
  readonly blockChecksum: boolean;
}

/** Name of the job that backs up the plain files of the folder `data`. */
export const plainJob = "Plain";

// A constant: everything is on 127.0.0.1 and lives as long as a test.
const password = "labsecret";

/** The text of each configuration file, by its name in the folder `etc`. */
export function configFiles(config: BaculaConfig): Record<string, string> {
  return {
    "bacula-dir.conf": directorConfig(config),
    "bacula-fd.conf": fileDaemonConfig(config),
    "bacula-sd.conf": storageDaemonConfig(config),
    "bconsole.conf":
      `Director { Name = lab-dir; DIRport = ${config.ports.dir}; address = 127.0.0.1; Password = "${password}" }\n`,
    "query.sql": "",
  };
}

/** A text as a string of Bacula's configuration. */
export function quote(text: string): string {
  return `"${text.replaceAll(/["\\]/g, "\\$&")}"`;
}

function directorConfig(config: BaculaConfig): string {
  const { folder, ports, maxConcurrentJobs, maxVolumeBytes } = config;
  const concurrency = `Maximum Concurrent Jobs = ${maxConcurrentJobs}`;
  const backups = Object.keys(config.pluginCommands).map((name) => backupJob(config, name));
  const pluginSets = Object.entries(config.pluginCommands).map(([name, commands]) =>
    fileSet(name, [commands].flat().map((command) => `Plugin = ${quote(command)}`))
  );
  return `Director {
  Name = lab-dir
  DIRport = ${ports.dir}
  DirAddress = 127.0.0.1
  QueryFile = ${quote(`${folder}/etc/query.sql`)}
  WorkingDirectory = ${quote(`${folder}/work`)}
  PidDirectory = ${quote(`${folder}/run`)}
  Password = "${password}"
  Messages = Daemon
  ${concurrency}
}
Catalog { Name = Cat; dbname = "bacula"; dbuser = ""; dbpassword = "" }
Client {
  Name = lab-fd
  Address = 127.0.0.1
  FDPort = ${ports.fd}
  Catalog = Cat
  Password = "${password}"
  AutoPrune = no
  ${concurrency}
}
Storage {
  Name = lab-sd
  Address = 127.0.0.1
  SDPort = ${ports.sd}
  Password = "${password}"
  Device = Disk
  Media Type = File
  ${concurrency}
}
Pool {
  Name = Default
  Pool Type = Backup
  Label Format = "Vol-"
  Maximum Volume Bytes = ${maxVolumeBytes}
  Recycle = yes
  AutoPrune = no
}
Messages { Name = Daemon; append = ${
    quote(`${folder}/log/dir.log`)
  } = all, !skipped; console = all, !skipped, !saved }
Messages { Name = Standard; catalog = all, !skipped, !saved; console = all, !skipped, !saved }
JobDefs {
  Name = Defaults
  Type = Backup
  Level = Incremental
  Client = lab-fd
  Storage = lab-sd
  Pool = Default
  Messages = Standard
  FileSet = ${plainJob}
  Priority = 10
  Allow Duplicate Jobs = yes
  ${concurrency}
}
${backupJob(config, plainJob)}
${backups.join("\n")}
Job { Name = Restore; Type = Restore; JobDefs = Defaults; Where = "/" }
${fileSet(plainJob, [`File = ${quote(`${folder}/data`)}`])}
${pluginSets.join("\n")}
`;
}

function backupJob({ accurateJobs }: BaculaConfig, name: string): string {
  const accurate = accurateJobs.includes(name) ? "; Accurate = yes" : "";
  return `Job { Name = ${quote(name)}; JobDefs = Defaults; FileSet = ${quote(name)}${accurate} }`;
}

function fileSet(name: string, contents: readonly string[]): string {
  return `FileSet {
  Name = ${quote(name)}
  Ignore FileSet Changes = yes
  Include {
    Options { signature = MD5 }
    ${contents.join("\n    ")}
  }
}`;
}

function fileDaemonConfig({ folder, ports, maxConcurrentJobs }: BaculaConfig): string {
  return `FileDaemon {
  Name = lab-fd
  FDport = ${ports.fd}
  FDAddress = 127.0.0.1
  WorkingDirectory = ${quote(`${folder}/work`)}
  Pid Directory = ${quote(`${folder}/run`)}
  Plugin Directory = ${quote(`${folder}/plugins`)}
  Maximum Concurrent Jobs = ${maxConcurrentJobs}
}
Director { Name = lab-dir; Password = "${password}" }
Messages { Name = Standard; director = lab-dir = all, !skipped, !restored, !verified, !saved }
`;
}

function storageDaemonConfig({ folder, ports, maxConcurrentJobs, blockChecksum }: BaculaConfig): string {
  return `Storage {
  Name = lab-sd
  SDPort = ${ports.sd}
  SDAddress = 127.0.0.1
  WorkingDirectory = ${quote(`${folder}/work`)}
  Pid Directory = ${quote(`${folder}/run`)}
  Maximum Concurrent Jobs = ${maxConcurrentJobs}
}
Director { Name = lab-dir; Password = "${password}" }
Device {
  Name = Disk
  Media Type = File
  Device Type = File
  Archive Device = ${quote(`${folder}/vol`)}
  LabelMedia = yes
  Random Access = yes
  AutomaticMount = yes
  RemovableMedia = no
  AlwaysOpen = no
  Block Checksum = ${blockChecksum ? "yes" : "no"}
  Maximum Concurrent Jobs = ${maxConcurrentJobs}
}
Messages { Name = Standard; director = lab-dir = all }
`;
}
