/**
 * The conversation with bconsole that starts a restore job.
 *
 * @module
 */

import { quote } from "./bacula_config.ts";

/** What is to be restored, and how. */
export interface RestoreRequest {
  /** The backup jobs to restore from, a Full and what follows it; or the name of a job, for the newest such chain. */
  readonly from: readonly number[] | string;
  /** With a job's name: the newest chain of the jobs that began before that local time, as the catalog writes it, "2026-11-23 08:15:00". */
  readonly before?: string;
  /** Absolute paths of the files and directories to mark in the tree; everything by default. */
  readonly files?: readonly string[];
  /** The prefix for all names; "/" by default, which is where they came from. */
  readonly where?: string;
  readonly replace?: "always" | "never" | "ifnewer" | "ifolder";
  /** Answers to the plugin's form: the field's number and the text, in this order. */
  readonly pluginOptions?: {
    readonly fields: readonly (readonly [field: number, value: string])[];
    /** Which form, where the jobs brought several: 1 is the first. */
    readonly form?: number;
  };
}

/** The lines for bconsole. */
export function restoreCommand(request: RestoreRequest): string[] {
  const { from, before, files, where = "/", replace, pluginOptions } = request;
  const chain = typeof from === "string"
    ? `fileset=${quote(from)}${before === undefined ? "" : ` before=${quote(before)}`} select current`
    : `jobid=${from.join(",")}`;
  const head = `restore client=lab-fd ${chain} where=${quote(where)}${replace ? ` replace=${replace}` : ""}`;
  return [
    ...files === undefined ? [`${head} all done`] : [head, ...files.flatMap(mark), "done"],
    ...pluginOptions === undefined ? [] : [
      ...["mod", "13", ...pluginOptions.form === undefined ? [] : [`${pluginOptions.form}`]],
      ...pluginOptions.fields.flatMap(([field, value]) => ["mod", `${field}`, value]),
      "yes",
    ],
    "yes",
  ];
}

/** The tree's commands know names of the current directory only, and take them as patterns. */
function mark(path: string): string[] {
  const slash = path.lastIndexOf("/");
  const pattern = path.slice(slash + 1).replaceAll(/[*?[\\]/g, "\\$&");
  return [`cd ${quote(path.slice(0, slash) || "/")}`, `mark ${quote(pattern)}`];
}
