/**
 * Patterns of namespaces: `database.collection`, in which `*` stands for any run of characters within its part. As in a name, the first dot ends the
 * database's part.
 *
 * @module
 */

import { PluginError } from "../errors.ts";
import { formatNamespace, type Namespace, parseNamespace } from "../namespace.ts";

/** Both parts of a pattern, cut at their stars. */
interface Pattern {
  readonly database: readonly string[];
  readonly collection: readonly string[];
}

/** Which namespaces a backup or a restore takes. */
export class NamespaceFilter {
  readonly #include: readonly Pattern[];
  readonly #exclude: readonly Pattern[];

  /** @param include what is taken, everything where it is empty; what is in `exclude` too is not */
  constructor(include: readonly string[], exclude: readonly string[]) {
    this.#include = include.map(cutPattern);
    this.#exclude = exclude.map(cutPattern);
  }

  /** Whether anything of a database may be taken. */
  mayAcceptOf(database: string): boolean {
    const fits = (pattern: Pattern) => matchPieces(pattern.database, database) !== null;
    const fitsWhole = (pattern: Pattern) =>
      fits(pattern) && pattern.collection.every((piece) => piece === "");
    return (this.#include.length === 0 || this.#include.some(fits)) &&
      !this.#exclude.some((pattern) => fitsWhole(pattern) && pattern.collection.length > 1);
  }

  accepts(namespace: Namespace): boolean {
    const fits = (pattern: Pattern) => matchNamespace(pattern, namespace) !== null;
    return (this.#include.length === 0 || this.#include.some(fits)) && !this.#exclude.some(fits);
  }
}

/** New names for namespaces. */
export class NamespaceMap {
  readonly #pairs: readonly (readonly [from: Pattern, to: Pattern])[];

  /** Whether all keep their names. */
  readonly isIdentity: boolean;

  /** @param to as many as `from`, each with as many `*` as its counterpart */
  constructor(from: readonly string[], to: readonly string[]) {
    this.#pairs = from.map((pattern, at) => [cutPattern(pattern), cutPattern(to[at] ?? pattern)]);
    this.isIdentity = from.every((pattern, at) => pattern === (to[at] ?? pattern));
  }

  /**
   * The new name: what each `*` of the first pattern that fits stands for is put in the place of its counterpart.
   *
   * @throws PluginError `restoreRequest` when that is no name that a collection can have
   */
  map(namespace: Namespace): Namespace {
    for (const [from, to] of this.#pairs) {
      const captured = matchNamespace(from, namespace);
      if (captured === null) continue;
      const inDatabase = to.database.length - 1;
      const renamed = {
        database: fill(to.database, captured.slice(0, inDatabase)),
        collection: fill(to.collection, captured.slice(inDatabase)),
      };
      if (!isSoundAs(renamed, namespace)) throw unnameable(namespace, renamed);
      return renamed;
    }
    return namespace;
  }
}

/** How many `*` a pattern has. */
export function countStars(pattern: string): number {
  return pattern.split("*").length - 1;
}

function cutPattern(pattern: string): Pattern {
  const { database, collection } = parseNamespace(pattern);
  return { database: database.split("*"), collection: collection.split("*") };
}

/** What each `*` stands for, those of the database first; null where the pattern doesn't fit. */
function matchNamespace(pattern: Pattern, { database, collection }: Namespace): string[] | null {
  const first = matchPieces(pattern.database, database);
  const second = first === null ? null : matchPieces(pattern.collection, collection);
  return first === null || second === null ? null : [...first, ...second];
}

/**
 * What each gap between the pieces stands for, as little as possible each but for the last one; null where they don't fit. Each piece is looked for once,
 * from where the last one ended.
 */
function matchPieces([head = "", ...pieces]: readonly string[], text: string): string[] | null {
  const tail = pieces.pop();
  if (tail === undefined) return head === text ? [] : null;
  if (!text.startsWith(head)) return null;
  const captured: string[] = [];
  let at = head.length;
  for (const piece of pieces) {
    const found = text.indexOf(piece, at);
    if (found < 0) return null;
    captured.push(text.slice(at, found));
    at = found + piece.length;
  }
  if (!text.endsWith(tail) || text.length - tail.length < at) return null;
  return [...captured, text.slice(at, text.length - tail.length)];
}

function fill(pieces: readonly string[], captured: readonly string[]): string {
  return pieces.map((piece, at) => at === 0 ? piece : `${captured[at - 1] ?? ""}${piece}`).join("");
}

/** Whether a new name names one collection as the old one did: a part of a collection's name may have become the database's, or nothing may be left. */
function isSoundAs({ database, collection }: Namespace, old: Namespace): boolean {
  return database !== "" && !database.includes(".") && !collection.startsWith(".") &&
    (collection === "") === (old.collection === "");
}

function unnameable(from: Namespace, to: Namespace): PluginError {
  return new PluginError(
    "restoreRequest",
    `Cannot rename ${
      formatNamespace(from)
    }: ns_from= and ns_to= make database "${to.database}" and collection "${to.collection}" of it, ` +
      "wanted a database without a dot, and a collection that doesn't begin with one",
    {
      hint:
        "Put a pair for this collection before the others; one with the same name twice leaves it its name.",
    },
  );
}
