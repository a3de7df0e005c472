/**
 * Tables that become lists on a narrow screen. The roles keep their meaning there.
 *
 * @module
 */

import { type Html, type HtmlValue, markup } from "./markup.ts";

/** A cell, which brings the heading of its column along. */
export function cell(heading: string, value: HtmlValue): Html {
  return markup`<td role="cell" data-label="${heading}"><div>${value}</div></td>`;
}

/** A cell whose words stay on one line where there is room for columns. */
export function shortCell(heading: string, value: HtmlValue): Html {
  return markup`<td role="cell" class="short" data-label="${heading}"><div>${value}</div></td>`;
}

/** A table of cells. */
export function table(
  caption: string,
  headings: readonly string[],
  rows: readonly (readonly Html[])[],
): Html {
  const head = headings.map((heading) => markup`<th role="columnheader" scope="col">${heading}</th>`);
  return markup`<table role="table">
<caption>${caption}</caption>
<thead role="rowgroup"><tr role="row">${head}</tr></thead>
<tbody role="rowgroup">
${rows.map((cells) => markup`<tr role="row">${cells}</tr>\n`)}
</tbody>
</table>`;
}
