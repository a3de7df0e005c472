/**
 * How the pages look: one style sheet.
 *
 * @module
 */

import { type Palette, palettes } from "./palette.ts";

/** The style sheet. Colours stand in the palettes alone. */
export const styleSheet = `:root { color-scheme: light dark; ${variables(palettes.light)} }
@media (prefers-color-scheme: dark) { :root { ${variables(palettes.dark)} } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; -webkit-text-size-adjust: 100%; overflow-wrap: break-word; }
header, main, footer { max-width: 76rem; margin: 0 auto; padding: 0 1rem; }
header { padding-top: 1.5rem; }
h1 { margin: 0; font-size: 1.625rem; line-height: 1.25; font-weight: 650; letter-spacing: -0.01em; overflow-wrap: anywhere; }
h2 { margin: 2.25rem 0 0.75rem; font-size: 1.15rem; font-weight: 650; }
h3 { margin: 0; font-size: 1rem; font-weight: 600; }
p { margin: 0.25rem 0; }
a { color: var(--link); text-underline-offset: 0.2em; }
a:focus-visible, input:focus-visible, button:focus-visible, summary:focus-visible, pre:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; border-radius: 2px; }
.brand { margin: 0; color: var(--muted); font-weight: 600; }
.muted, .age, footer { color: var(--muted); }
.age { white-space: nowrap; }
time { font-variant-numeric: tabular-nums; white-space: nowrap; }
.trouble { margin: 1rem 0; padding: 0.75rem 1rem; background: var(--card); border-left: 4px solid var(--failed); }
.empty { margin: 1.5rem 0; padding: 1.25rem; background: var(--card); border: 1px solid var(--rule); border-radius: 8px; max-width: 46rem; }
.state { font-weight: 650; white-space: nowrap; }
.state::before { display: inline-block; width: 1.25em; content: "\\25CF"; }
.state-ok { color: var(--good); }
.state-warning { color: var(--caution); }
.state-failed, .state-never, .state-unreadable { color: var(--bad); }
.state-warning::before { content: "\\25B2"; }
.state-failed::before { content: "\\2716"; }
.state-never::before, .state-unreadable::before { content: "\\25C6"; }
.filters { display: flex; flex-wrap: wrap; gap: 0.5rem 1.5rem; align-items: center; margin: 1rem 0; }
.choice ul { display: flex; flex-wrap: wrap; gap: 0.25rem; margin: 0; padding: 0; list-style: none; }
.panel .choice ul { margin-left: -0.6rem; }
.choice a { display: block; padding: 0.3rem 0.6rem; border-radius: 6px; text-decoration: none; }
.choice a:hover { background: var(--code); }
.choice [aria-current="true"] { background: var(--card); box-shadow: inset 0 0 0 1px var(--field); font-weight: 600; }
form { display: flex; flex-wrap: wrap; gap: 0.5rem; align-items: center; margin: 0; }
input, button { min-width: 0; padding: 0.35rem 0.6rem; border: 1px solid var(--field); border-radius: 6px; background: var(--card); color: var(--ink); font: inherit; }
button { cursor: pointer; }
.legend { display: flex; flex-wrap: wrap; gap: 0.25rem 1.25rem; margin: 0.75rem 0; padding: 0; list-style: none; color: var(--muted); font-size: 0.875rem; }
.legend li { display: flex; align-items: center; gap: 0.4rem; }
.resources { margin: 0; padding: 0; list-style: none; }
.resource, .panel { background: var(--card); border: 1px solid var(--rule); border-radius: 8px; padding: 1rem 1.25rem; }
.resource { display: grid; grid-template-columns: minmax(0, 1fr); gap: 0.5rem 2rem; margin-bottom: 0.75rem; }
.resource h2 { margin: 0; display: flex; flex-wrap: wrap; gap: 0 0.9rem; align-items: baseline; overflow-wrap: anywhere; }
.resource h2 .state { font-size: 1rem; }
h1 .state { margin-left: 0.35rem; font-size: 1.125rem; letter-spacing: 0; }
.line { display: block; margin-top: 0.5rem; overflow: visible; }
.line text { fill: var(--muted); font-size: 12px; }
.track { fill: var(--track); }
rect.covered { fill: var(--covered); stroke: var(--covered); stroke-width: 1px; }
rect.full { fill: var(--full); stroke: var(--full); stroke-width: 1.5px; }
rect.gap { fill: none; stroke: var(--gap); stroke-width: 1.5px; stroke-dasharray: 3 2; }
path.failed { fill: none; stroke: var(--failed); stroke-width: 2.5px; stroke-linecap: round; }
circle.rehearsed { fill: var(--card); stroke: var(--rehearsed); stroke-width: 2.5px; }
line.slice { stroke: var(--card); stroke-width: 1px; }
line.tick { stroke: var(--field); stroke-width: 1px; }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr)); gap: 0.2rem 2rem; margin: 0; align-content: start; font-size: 0.875rem; }
.fact { display: grid; grid-template-columns: 6.5rem minmax(0, 1fr); gap: 0 0.5rem; }
.fact dt { color: var(--muted); }
.fact dd { margin: 0; }
.panel { margin: 0.75rem 0; }
.panel > summary, .panel h3 { font-weight: 600; cursor: default; }
.panel > summary { cursor: pointer; }
pre { margin: 0.6rem 0 0; padding: 0.75rem 1rem; background: var(--code); border-radius: 6px; overflow-x: auto; font: 0.875rem/1.55 ui-monospace, "DejaVu Sans Mono", monospace; -webkit-user-select: all; user-select: all; }
code { font: 0.9em ui-monospace, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
table { width: 100%; border-collapse: collapse; font-size: 0.9375rem; }
caption { text-align: left; color: var(--muted); padding-bottom: 0.4rem; }
th { text-align: left; font-weight: 600; color: var(--muted); }
th, td { padding: 0.4rem 1rem 0.4rem 0; border-bottom: 1px solid var(--rule); vertical-align: top; }
td.short { white-space: nowrap; }
td:last-child { min-width: 17rem; }
.said { overflow-wrap: anywhere; }
td ul { margin: 0.25rem 0; padding-left: 1.1rem; }
footer { padding-top: 2rem; padding-bottom: 2rem; font-size: 0.875rem; }
@media (min-width: 60rem) {
  .resource { grid-template-columns: minmax(0, 1fr) 26rem; }
}
@media (max-width: 48rem) {
  .resource, .panel { padding: 0.9rem 1rem; }
  table, tbody, tr, td { display: block; }
  thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  caption { display: block; }
  tr { padding: 0.6rem 0; border-bottom: 1px solid var(--rule); }
  td, td.short { display: grid; grid-template-columns: 7rem minmax(0, 1fr); gap: 0 0.75rem; padding: 0.1rem 0; border: 0; white-space: normal; }
  td:last-child { min-width: 0; }
  td::before { content: attr(data-label); color: var(--muted); }
}
@media (prefers-reduced-motion: no-preference) { a, button { transition: background-color 120ms; } }
`;

function variables({ surfaces, texts, signs, quiet }: Palette): string {
  return Object.entries({ ...surfaces, ...texts, ...signs, ...quiet })
    .map(([name, colour]) => `--${name}: ${colour};`).join(" ");
}
