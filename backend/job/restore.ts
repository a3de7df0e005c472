/**
 * A restore: manifests are verified first, then everything else is held against them.
 *
 * @module
 */

import { PluginError } from "../errors.ts";
import { type OpenedManifest, openManifest, type TrustPolicy, unsignedManifest } from "../manifest/reader.ts";
import { joinParts } from "../manifest/seal.ts";
import { formatNamespace } from "../namespace.ts";
import { checkRenames, overrideOptions, parsePluginCommand } from "../options/command.ts";
import { describeParameters, type RestoreParameters } from "../options/restore_parameters.ts";
import { parseRestoreForm, restoreFormName } from "../options/restore_form.ts";
import type { OptionName, Options } from "../options/table.ts";
import type { OptionValue } from "../options/value.ts";
import { forEachAtOnce } from "../parallel.ts";
import type { JobLog, Spool, Target } from "../ports.ts";
import type { RestoreEvent } from "../protocol/backend_session.ts";
import { resourceOf } from "./object_path.ts";
import { refuseOccupied, reportDetails, reportPlan, targetsOf } from "./plan_report.ts";
import { refuseUnmatched } from "./restore_patterns.ts";
import { missingObjects, nameCollections, planRestore, type RestorePlan } from "./restore_plan.ts";
import { ResourceRestore, type RestoreCounts } from "./resource_restore.ts";
import { formatNumberOf } from "./wording.ts";

/** Each drop waits for the set: together they wait less. */
const dropsAtOnce = 8;

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
  /** Told that the operator only wants to know: nothing is to be left on disk. */
  noteDryRun(): void;
  /** Parameters that were prepared on this machine for the next restore of a resource, which this one is; null for none. */
  takeParameters(resource: string): Promise<RestoreParameters | null>;
  /** Opens the server of the options, or the directory when `where` names one. */
  openTarget(options: Options, where: string | null, plan: RestorePlan): Promise<Target>;
  /** Calendar day of an instant in Unix seconds, in this machine's time zone. */
  dayOf(unixSeconds: number): string;
  openSpool(): Spool;
}

/** What became of one resource. */
export interface RestoredResource {
  /** The manifest of the last job of its chain. */
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

/** A resource's restore while it runs; a dry run has no restore. */
interface Run {
  readonly plan: RestorePlan;
  readonly target: Target;
  readonly restore: ResourceRestore | null;
}

class Restore {
  readonly #context: RestoreContext;
  readonly #failure: AbortController;
  readonly #parts: { name: string; bytes: Uint8Array }[] = [];
  readonly #listed: string[] = [];
  readonly #prompt = new Map<OptionName, OptionValue>();
  readonly #prepared = new Map<string, RestoreParameters>();
  readonly #runs = new Map<string, Run>();
  readonly #manifests = new Map<string, OpenedManifest[]>();
  #where: string | null = null;
  #selected: ReadonlySet<string> = new Set();
  readonly #came = new Set<string>();
  #command: Options | undefined;

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
          this.#command = this.#readCommand(event.command);
          break;
        case "file":
          await this.#takeFile(event);
      }
    }
    // Also a collection, or a resource, of which nothing at all came.
    const missing = [...this.#selected].filter((name) => !this.#came.has(name));
    if (missing.length > 0) throw missingObjects(missing);
    for (const { restore } of this.#runs.values()) await restore?.finish();
  }

  results(): RestoredResource[] {
    return [...this.#runs.values()].flatMap(({ plan, target, restore }) =>
      restore === null
        ? []
        : [{ opened: plan.jobs.at(-1)!, counts: restore.counts, target: target.description }]
    );
  }

  async close(): Promise<void> {
    for (const { restore, target } of this.#runs.values()) await (restore ?? target)[Symbol.asyncDispose]();
  }

  #takeObject(objectType: number, name: string, bytes: Uint8Array): void {
    if (objectType === 25 && name.startsWith("podheitor-mongodb/manifest/")) {
      this.#parts.push({ name, bytes });
    }
    if (objectType === 28 && name === restoreFormName) {
      for (const [option, value] of parseRestoreForm(new TextDecoder().decode(bytes))) {
        this.#prompt.set(option, value);
      }
    }
  }

  /** Everything that comes before the first file is here: the manifests are verified before anything else happens. */
  async #start(where: string, regexWhere: string): Promise<void> {
    const sealed = joinParts(this.#parts);
    // Prepared parameters are for this restore, whatever becomes of it.
    for (const resource of new Set([...sealed.keys()].map((name) => name.split("/").at(-1)!))) {
      const parameters = await this.#context.takeParameters(resource);
      if (parameters !== null) this.#prepared.set(resource, parameters);
    }
    if (regexWhere !== "") {
      throw new PluginError(
        "restoreRequest",
        "Cannot restore with regexwhere=, strip_prefix= or add_prefix=: virtual names can't be rewritten",
        {
          hint:
            "Use where=/ to restore into the server, or where=/some/dir for files in mongodump's layout; ns_from= and ns_to= rename collections.",
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
    for (const bytes of sealed.values()) this.#addManifest(await openManifest(bytes, trust));
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
    const known = this.#manifests.get(manifest.resource);
    if (known === undefined) this.#manifests.set(manifest.resource, [opened]);
    else known.push(opened);
    this.#context.noteResource(manifest.resource);
    const { log } = this.#context;
    const what = `Manifest ${id} of job ${manifest.job.name}: ${
      formatNumberOf(manifest.totals.objects, "object")
    }`;
    if (keyId === null) log.warning(`${what}, NOT SIGNED: nobody can tell whether this backup was changed`);
    else log.info(`${what}, good signature of key ${keyId}`);
  }

  #readCommand(command: string): Options {
    const options = parsePluginCommand(command);
    if (options.allow_unsigned && !this.#context.trustedCommand) {
      this.#context.log.warning(
        "allow_unsigned= of the stored plugin command is not heeded: say it at the restore's prompt",
      );
    }
    if (this.#context.trustedCommand) return options;
    // What a FileSet chooses is what it backs up, and how: a restore takes of that whatever is selected, and needs no tool unless it is told so.
    return { ...options, allow_unsigned: false, include: [], exclude: [], users: "auto", engine: "native" };
  }

  async #takeFile({ header, extract, skip }: RestoreEvent & { type: "file" }): Promise<void> {
    const name = this.#virtualName(header.name);
    this.#came.add(name);
    const { restore } = await this.#runFor(name);
    if (!restore?.wants(name)) return await skip();
    await restore.receive(name, header, await extract());
  }

  /** The restore of the name's resource, planned when its first file comes. */
  async #runFor(name: string): Promise<Run> {
    const resource = resourceOf(name);
    const manifests = resource === undefined ? undefined : this.#manifests.get(resource);
    if (resource === undefined || manifests === undefined || this.#command === undefined) {
      throw new PluginError(
        "objectMismatch",
        `Cannot restore ${name}: no manifest that came with the restore lists it`,
        {
          hint: "Select files of one chain of jobs, from its catalog record.",
        },
      );
    }
    const known = this.#runs.get(resource);
    if (known !== undefined) return known;
    const options = this.#optionsFor(resource, this.#command);
    const mayBeUnsigned = this.#context.trust.allowUnsigned || options.allow_unsigned;
    if (!mayBeUnsigned && manifests.some(({ keyId }) => keyId === null)) throw unsignedManifest();
    const run = await this.#begin(resource, manifests, options);
    this.#runs.set(resource, run);
    return run;
  }

  /** The plugin command, then what was prepared on this machine, then what was said at the prompt: the last one has its way. */
  #optionsFor(resource: string, command: Options): Options {
    const prepared = this.#prepared.get(resource)?.values ?? new Map<OptionName, OptionValue>();
    const line = describeParameters(this.#prompt, prepared);
    if (line !== null) this.#context.log.info(line);
    const options = overrideOptions(overrideOptions(command, prepared), this.#prompt);
    checkRenames(options);
    // A rehearsal's server has no users but its own, and indexes are a part of what is proven.
    return options.mode === "rehearse" ? { ...options, users: "no", index_build: "after" } : options;
  }

  /** Plans, checks the target, and makes room in it. Nothing has been written before, and nothing is when it throws. */
  async #begin(resource: string, manifests: readonly OpenedManifest[], options: Options): Promise<Run> {
    const { log, signal, openTarget, openSpool, dayOf } = this.#context;
    const own = new Set([...this.#selected].filter((one) => resourceOf(one) === resource));
    refuseUnmatched(options.include, [...this.#manifests.values()].flat());
    const asked = options.where === null ? this.#where : options.where === "/" ? null : options.where;
    // There is no other place: its server is its own.
    const where = options.mode === "rehearse" ? null : asked;
    const plan = planRestore(manifests, own, options, dayOf, where === null ? "server" : "directory");
    const target = await openTarget(options, where, plan);
    try {
      reportPlan(plan, target, log);
      const users = plan.users ? target.users : null;
      await users?.check(plan.jobs[0]!.manifest.authSchema, options.drop);
      const targets = targetsOf(plan);
      const occupied = new Set((await target.findOccupied(targets)).map(formatNamespace));
      const inTheWay = targets.map(({ namespace }) => namespace).filter((namespace) =>
        occupied.has(formatNamespace(namespace))
      );
      if (options.dry_run) {
        this.#context.noteDryRun();
        reportDetails(plan, inTheWay, options.drop, log);
        log.info("Dry run: nothing was changed");
        return { plan, target, restore: null };
      }
      refuseOccupied(inTheWay, options.drop, target);
      await target.check(plan.collections);
      await clearDirectory(plan, target, options.drop);
      if (inTheWay.length > 0) {
        log.warning(`drop=yes: removing ${nameCollections(inTheWay)} from ${target.description}`);
      }
      if (options.drop) await forEachAtOnce(targets, dropsAtOnce, (one) => target.drop(one));
      await users?.discard();
      const restore = new ResourceRestore(plan, own, {
        target,
        users,
        drop: options.drop,
        spool: openSpool(),
        log,
        failure: this.#failure,
        signal,
        options,
      });
      return { plan, target, restore };
    } catch (cause) {
      await target[Symbol.asyncDispose]();
      throw cause;
    }
  }

  /** Bacula's output name without `where`. */
  #virtualName(outputName: string): string {
    const name = this.#where !== null && outputName.startsWith(this.#where)
      ? outputName.slice(this.#where.length)
      : outputName;
    return name.replace(/^\/+/, "/");
  }
}

/**
 * Makes room for the oplog in a directory, and says there of which server the data is.
 *
 * @throws PluginError `restoreTarget` when there is one, `restoreRequest` for what a kept oplog can't say
 */
async function clearDirectory(
  { slices, selection, jobs }: RestorePlan,
  { oplog, description }: Target,
  drop: boolean,
): Promise<void> {
  if (oplog.kind === "server") return;
  if (slices.size > 0 && !selection.keepsNames) {
    throw new PluginError(
      "restoreRequest",
      `Cannot restore into ${description}: ns_from= and ns_to= can't rename what is within oplog.bson`,
      {
        hint:
          "Restore without them, and rename with mongorestore's --nsFrom and --nsTo; or restore into a server.",
      },
    );
  }
  if (slices.size > 0) {
    if (drop) await oplog.discard();
    else if (await oplog.exists()) {
      throw new PluginError(
        "restoreTarget",
        `Cannot restore into ${description}: it has an oplog.bson of an earlier restore`,
        { hint: "Choose another directory, or say drop=yes." },
      );
    }
  }
  await oplog.describe(jobs[0]!.manifest.deployment.serverVersion, drop);
}

function rejection(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}
