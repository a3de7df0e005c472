/**
 * A reader of HTML that forgives nothing: every tag closed in its order, every attribute in double quotes and only once, every `<`, `>` and `&` of a text
 * escaped.
 *
 * @module
 */

/** An element with what is in it. */
export interface HtmlElement {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly (HtmlElement | string)[];
}

/** Elements that have no end tag. */
const empty = new Set(["meta", "link", "input", "br"]);

const entities: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  "#39": "'",
};

const tag = /^<(\/?)([a-z][a-z0-9]*)((?:\s+[a-z][a-z0-9-]*(?:="[^"<>]*")?)*)\s*(\/?)>/i;

/**
 * Reads a whole document.
 *
 * @throws Error that says where it isn't as it should be
 */
export function parseStrictHtml(text: string): HtmlElement {
  const doctype = "<!DOCTYPE html>\n";
  if (!text.startsWith(doctype)) throw new Error("the document begins without its doctype");
  const root = { name: "", attributes: new Map<string, string>(), children: [] as (HtmlElement | string)[] };
  const open = [root];
  let at = doctype.length;
  const fault = (what: string) => new Error(`${what} at …${text.slice(Math.max(0, at - 60), at + 60)}…`);
  while (at < text.length) {
    const parent = open.at(-1)!;
    if (text[at] !== "<") {
      const end = text.indexOf("<", at);
      const words = text.slice(at, end < 0 ? text.length : end);
      if (words.includes(">")) throw fault("a bare > in a text");
      parent.children.push(decode(words));
      at += words.length;
      continue;
    }
    const [whole, slash, name, attributes, selfClosing] = tag.exec(text.slice(at, at + 10_000)) ?? [];
    if (whole === undefined) throw fault("no tag");
    if (slash === "/") {
      if (parent.name !== name) throw fault(`</${name}> ends <${parent.name}>`);
      open.pop();
    } else {
      const element = { name: name!, attributes: attributesOf(attributes!), children: [] };
      parent.children.push(element);
      if (selfClosing !== "/" && !empty.has(name!)) open.push(element);
    }
    at += whole.length;
  }
  if (open.length > 1) throw new Error(`<${open.at(-1)!.name}> is never closed`);
  const [first, ...rest] = root.children.filter((child) => typeof child !== "string" || child.trim() !== "");
  if (first === undefined || typeof first === "string" || rest.length > 0) {
    throw new Error("wanted one element and nothing else");
  }
  return first;
}

/** All elements of a document, itself included, in their order. */
export function elementsOf(element: HtmlElement): HtmlElement[] {
  return [
    element,
    ...element.children.flatMap((child) => typeof child === "string" ? [] : elementsOf(child)),
  ];
}

/** All text in an element. */
export function textOf(element: HtmlElement): string {
  return element.children.map((child) => typeof child === "string" ? child : textOf(child)).join("");
}

function attributesOf(text: string): Map<string, string> {
  const attributes = new Map<string, string>();
  for (const [, name, value] of text.matchAll(/([a-z][a-z0-9-]*)(?:="([^"]*)")?/gi)) {
    if (attributes.has(name!)) throw new Error(`the attribute ${name} comes twice in ${text}`);
    attributes.set(name!, decode(value ?? ""));
  }
  return attributes;
}

function decode(text: string): string {
  return text.replaceAll(/&([^;&]*;?)/g, (whole, entity) => {
    const meant = entities[entity.slice(0, -1)];
    if (meant === undefined || !entity.endsWith(";")) throw new Error(`${whole.slice(0, 20)} is no entity`);
    return meant;
  });
}
