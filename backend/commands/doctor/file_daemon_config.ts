/**
 * What bacula-fd.conf says of the File Daemon itself.
 *
 * @module
 */

/** Strings, comments, signs that mean something, and all else. */
const token = /"(?:\\[^]|[^"\\])*"?|#[^\n]*|[{}=;\n]|[^"#{}=;\n]+/g;

/**
 * A directive of the resource FileDaemon (Client is its other name), or null where the file doesn't have it. Bacula takes names of resources and
 * directives whatever their case, and with or without blanks. Files that are included with `@` are not looked into.
 *
 * @param name in lower case, without blanks: `plugindirectory`
 */
export function findDirective(text: string, name: string): string | null {
  const resources: string[] = [];
  let words = "";
  let key: string | null = null;
  const end = (): string | null => {
    const isWanted = resources.length === 1 && /^(filedaemon|client)$/.test(resources[0]!) && key === name;
    const value = words.trim();
    [words, key] = ["", null];
    return isWanted ? value : null;
  };
  for (const [part] of text.matchAll(token)) {
    if (part.startsWith("#")) continue;
    if (part === "{") {
      resources.push(plain(words));
      [words, key] = ["", null];
    } else if (part === "=" && key === null) [words, key] = ["", plain(words)];
    else if (part === "}" || part === ";" || (part === "\n" && key !== null)) {
      const value = end();
      if (value !== null) return value;
      if (part === "}") resources.pop();
    } else words += part.startsWith('"') ? unquote(part) : part;
  }
  return end();
}

function plain(words: string): string {
  return words.replace(/\s+/g, "").toLowerCase();
}

function unquote(text: string): string {
  return text.replace(/^"|"$/g, "").replace(/\\([^])/g, "$1");
}
