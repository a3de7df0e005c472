/**
 * What every page has: head, links, footer.
 *
 * @module
 */

import { program } from "../../backend/version.ts";
import type { State } from "../assessment.ts";
import { type Html, markup } from "./markup.ts";
import { plainTime } from "./wording.ts";

/** A page's own parts. */
export interface Page {
  readonly title: string;
  /** How the exporter's root is reached from here, "./" or "../": a proxy may serve it below any path. */
  readonly root: string;
  /** Path of the same as JSON, from the root. */
  readonly json: string;
  /** Unix seconds. */
  readonly now: number;
  readonly heading: Html;
  readonly main: Html;
}

/** States, in words. */
export const stateWords = {
  ok: "OK",
  warning: "Warning",
  failed: "Failed",
  never: "No backup",
  unreadable: "Unreadable",
} as const satisfies Record<State, string>;

/** A state's word, with a sign of its own: colour alone says nothing. */
export function stateSign(state: State): Html {
  return markup`<span class="state state-${state}">${stateWords[state]}</span>`;
}

/** The text of a page. */
export function documentOf({ title, root, json, now, heading, main }: Page): string {
  const page = markup`<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="stylesheet" href="${root}style.css">
</head>
<body>
<header>
${heading}
<p class="muted">As of ${plainTime(now)}. All times are UTC.</p>
</header>
<main>
${main}
</main>
<footer>
<p>Told from the records that the jobs left. Whether Bacula still has the volumes, only its catalog knows: <code>list jobs</code> in bconsole.</p>
<p>PodHeitor MongoDB ${program.version} · <a href="${root}${json}">this as JSON</a> · <a href="${root}metrics">metrics</a></p>
</footer>
</body>
</html>
`;
  return `<!DOCTYPE html>\n${page.text}`;
}
