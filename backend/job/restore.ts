/**
 * A restore: manifests are verified first, then everything else is held against them.
 *
 * @module
 */

import { PluginError } from "../errors.ts";
import { type OpenedManifest, openManifest, type TrustPolicy, unsignedManifest } from "../manifest/reader.ts";
import { joinParts } from "../manifest/seal.ts";
import { overrideOptions, parsePluginCommand } from "../options/command.ts";
import { parseRestoreForm, restoreFormName } from "../options/restore_form.ts";
import type { OptionName, Options } from "../options/table.ts";
import type { OptionValue } from "../options/value.ts";
import type { JobLog, Target } from "../ports.ts";
import type { RestoreEvent } from "../protocol/backend_session.ts";
import { resourceOf } from "./object_path.ts";
import { missingObjects } from "./restore_plan.ts";
import { ResourceRestore, type RestoreCounts } from "./resource_restore.ts";
import { formatNumberOf } from "./wording.ts";

/** What a restore needs of the outside. */
export interface RestoreContext {
  readonly events: AsyncIterable<RestoreEvent>;
  readonly log: JobLog;
  readonly signal: AbortSignal;
  /** Keys and rules of this machine; the plugin command, which came from the catalog, has no say in it. */
  readonly trust: TrustPolicy;
  /** Whether the plugin command was typed by the operator just now, so that it may loosen rules. */
  readonly trustedCommand: boolean;
  /** Told each resource whose manifest was verified. */
  noteResource(resource: string): void;
  /** Opens the server of the options, or the directory when `where` names one. */
  openTarget(options: Options, where: string | null): Promise<Target>;
}

/** What became of one resource. */
export interface RestoredResource {
  readonly opened: OpenedManifest;
  readonly counts: RestoreCounts;
  readonly target: string;
}

/** Runs a restore until S has sent everything and all of it is written. */
export async function runRestore(context: RestoreContext): Promise<RestoredResource[]> {
  const failure = new AbortController();
  const restore = new Restore(context, failure);
  try {
    // A write that fails must end the job also while the other side has nothing to send.
    await Promise.race([restore.follow(), rejection(AbortSignal.any([failure.signal, context.signal]))]);
    return restore.results();
  } finally {
    await restore.close();
  }
}

class Restore {
  readonly #context: RestoreContext;
  readonly #failure: AbortController;
  readonly #parts: { name: string; bytes: Uint8Array }[] = [];
  readonly #listed: string[] = [];
  readonly #answers = new Map<OptionName, OptionValue>();
  readonly #runs = new Map<string, { restore: ResourceRestore; target: Target }>();
  #manifests = new Map<string, OpenedManifest>();
  #where: string | null = null;
  #selected: ReadonlySet<string> = new Set();
  readonly #came = new Set<string>();
  #options: Options | undefined;

  constructor(context: RestoreContext, failure: AbortController) {
    this.#context = context;
    this.#failure = failure;
  }

  async follow(): Promise<void> {
    for await (const event of this.#context.events) {
      switch (event.type) {
        case "restoreObject":
          this.#takeObject(event.header.objectType, event.header.name, event.bytes);
          break;
        case "listed":
          this.#listed.push(event.name);
          break;
        case "start":
          await this.#start(event.where, event.regexWhere);
          break;
        case "pluginCommand":
          this.#options = this.#readOptions(event.command);
          break;
        case "file":
          await this.#takeFile(event);
      }
    }
    // Also a collection, or a resource, of which nothing at all came.
    const missing = [...this.#selected].filter((name) => !this.#came.has(name));
    if (missing.length > 0) throw missingObjects(missing);
    for (const { restore } of this.#runs.values()) await restore.finish();
  }

  results(): RestoredResource[] {
    return [...this.#runs].map(([resource, { restore, target }]) => ({
      opened: this.#manifests.get(resource)!,
      counts: restore.counts,
      target: target.description,
    }));
  }

  async close(): Promise<void> {
    for (const { restore } of this.#runs.values()) await restore[Symbol.asyncDispose]();
  }

  #takeObject(objectType: number, name: string, bytes: Uint8Array): void {
    if (objectType === 25 && name.startsWith("podheitor-mongodb/manifest/")) {
      this.#parts.push({ name, bytes });
    }
    if (objectType === 28 && name === restoreFormName) {
      for (const [option, value] of parseRestoreForm(new TextDecoder().decode(bytes))) {
        this.#answers.set(option, value);
      }
    }
  }

  /** Everything that comes before the first file is here: the manifests are verified before anything else happens. */
  async #start(where: string, regexWhere: string): Promise<void> {
    if (regexWhere !== "") {
      throw new PluginError(
        "restoreRequest",
        "Cannot restore with regexwhere=, strip_prefix= or add_prefix=: virtual names can't be rewritten",
        {
          hint: "Use where=/ to restore into the server, or where=/some/dir for files in mongodump's layout.",
        },
      );
    }
    const plain = where.replace(/\/+$/, "");
    this.#where = plain === "" ? null : plain;
    this.#selected = new Set(
      this.#listed.map((name) => this.#virtualName(name)).filter((name) => resourceOf(name) !== undefined),
    );
    // Whether an unsigned manifest will do is for the plugin command to say, which comes with the first file.
    const trust = { ...this.#context.trust, allowUnsigned: true };
    for (const sealed of joinParts(this.#parts).values()) {
      this.#addManifest(await openManifest(sealed, trust));
    }
    if (this.#manifests.size > 0) return;
    throw new PluginError(
      "manifestMissing",
      "Cannot restore: no manifest came with the restore, so that nothing can be verified",
      {
        hint:
          "Start the restore from the job's catalog record (restore jobid=...), not from a bare bootstrap file; the catalog keeps the manifest.",
      },
    );
  }

  #addManifest(opened: OpenedManifest): void {
    const { manifest, id, keyId } = opened;
    if (this.#manifests.has(manifest.resource)) {
      throw new PluginError(
        "restoreRequest",
        `Cannot restore resource "${manifest.resource}" from several jobs at once`,
        {
          hint: "Select the files of one Full.",
        },
      );
    }
    this.#manifests.set(manifest.resource, opened);
    this.#context.noteResource(manifest.resource);
    const { log } = this.#context;
    const what = `Manifest ${id} of job ${manifest.job.name}: ${
      formatNumberOf(manifest.totals.objects, "object")
    }`;
    if (keyId === null) log.warning(`${what}, NOT SIGNED: nobody can tell whether this backup was changed`);
    else log.info(`${what}, good signature of key ${keyId}`);
  }

  #readOptions(command: string): Options {
    const options = parsePluginCommand(command);
    if (options.allow_unsigned && !this.#context.trustedCommand) {
      this.#context.log.warning(
        "allow_unsigned= of the stored plugin command is not heeded: say it at the restore's prompt",
      );
    }
    return overrideOptions(options, this.#answers);
  }

  async #takeFile({ header, extract, skip }: RestoreEvent & { type: "file" }): Promise<void> {
    const name = this.#virtualName(header.name);
    this.#came.add(name);
    const { restore } = await this.#runFor(name);
    if (!restore.wants(name)) return await skip();
    await restore.receive(name, header, await extract());
  }

  /** The restore of the name's resource, planned when its first file comes. */
  async #runFor(name: string): Promise<{ restore: ResourceRestore }> {
    const resource = resourceOf(name);
    const opened = resource === undefined ? undefined : this.#manifests.get(resource);
    if (resource === undefined || opened === undefined || this.#options === undefined) {
      throw new PluginError(
        "objectMismatch",
        `Cannot restore ${name}: no manifest that came with the restore lists it`,
        {
          hint: "Select files of one job, from its catalog record.",
        },
      );
    }
    const known = this.#runs.get(resource);
    if (known !== undefined) return known;
    if (opened.keyId === null && !this.#mayBeUnsigned()) throw unsignedManifest();
    const target = await this.#context.openTarget(this.#options, this.#where);
    try {
      const own = new Set([...this.#selected].filter((one) => resourceOf(one) === resource));
      const { log } = this.#context;
      const restore = await ResourceRestore.begin(opened.manifest, own, target, {
        drop: this.#options.drop,
        log,
        failure: this.#failure,
      });
      const run = { restore, target };
      this.#runs.set(resource, run);
      return run;
    } catch (cause) {
      await target[Symbol.asyncDispose]();
      throw cause;
    }
  }

  /** The rule of the machine, the form, or a command that the operator typed. */
  #mayBeUnsigned(): boolean {
    const { trust, trustedCommand } = this.#context;
    return trust.allowUnsigned || this.#answers.get("allow_unsigned") === true ||
      (trustedCommand && this.#options?.allow_unsigned === true);
  }

  /** Bacula's output name without `where`. */
  #virtualName(outputName: string): string {
    const name = this.#where !== null && outputName.startsWith(this.#where)
      ? outputName.slice(this.#where.length)
      : outputName;
    return name.replace(/^\/+/, "/");
  }
}

function rejection(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}
