/**
 * Links of which one is where the reader is: pages of a long list, and other choices.
 *
 * @module
 */

import { type Html, type HtmlValue, markup } from "./markup.ts";

/** Links to the first, the last and the neighbouring pages; nothing where there is one page. */
export function pageLinks(page: number, pages: number, hrefOf: (page: number) => string): Html | null {
  if (pages === 1) return null;
  const near = [1, page - 1, page, page + 1, pages].filter((one) => one >= 1 && one <= pages);
  return markup`<nav class="choice" aria-label="Pages"><ul>
${[...new Set(near)].map((one) => choice(String(one), hrefOf(one), one === page))}
</ul></nav>`;
}

/** One of several links, which may be what is shown now. */
export function choice(words: HtmlValue, href: string, isCurrent: boolean): Html {
  return markup`<li><a href="${href}" aria-current="${String(isCurrent)}">${words}</a></li>`;
}
