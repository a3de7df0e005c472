/**
 * HTML that escapes by default.
 *
 * @module
 */

/** HTML that is complete: only {@linkcode markup} makes it. */
export class Html {
  readonly text: string;

  private constructor(text: string) {
    this.text = text;
  }

  /** HTML of a template's own parts and values. */
  static of(parts: TemplateStringsArray, values: readonly HtmlValue[]): Html {
    return new Html(parts.map((part, at) => part + (at < values.length ? textOf(values[at]!) : "")).join(""));
  }
}

/** What a template takes: texts and numbers, which are escaped, HTML, lists of these, and null for nothing. */
export type HtmlValue = string | number | Html | null | readonly HtmlValue[];

/** HTML of a template. A value stands for text between tags, or for what an attribute in double quotes holds; it can end neither. */
export function markup(parts: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  return Html.of(parts, values);
}

function textOf(value: HtmlValue): string {
  if (value === null) return "";
  if (value instanceof Html) return value.text;
  return typeof value === "object" ? value.map(textOf).join("") : escape(String(value));
}

const escapes: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Control characters, those that turn a line's direction, and half characters would show other than what is there. */
const unprintable = /[^\P{C}\t\n]|[\u2028\u2029]/gu;

function escape(text: string): string {
  return text.replaceAll(unprintable, "\uFFFD").replaceAll(/[&<>"']/g, (one) => escapes[one]!);
}
