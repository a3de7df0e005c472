/**
 * JSON as it is written: members in their order, also those whose keys look like numbers or come twice, and numbers as text.
 *
 * @module
 */

/** A JSON value. */
export type JsonNode =
  | { readonly kind: "object"; readonly members: readonly (readonly [string, JsonNode])[] }
  | { readonly kind: "array"; readonly items: readonly JsonNode[] }
  | { readonly kind: "string" | "number"; readonly text: string }
  | { readonly kind: "literal"; readonly value: boolean | null };

const tokenPattern =
  /[ \t\r\n]*(?:([{}[\],:])|("[^"\\]*(?:\\.[^"\\]*)*")|(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)|(true|false|null))/y;

/** Reads one JSON text; throws a `SyntaxError`. */
export function parseJsonText(text: string): JsonNode {
  const tokens = new Tokens(text);
  const node = readNode(tokens, 0);
  tokens.end();
  return node;
}

/** A server's own limit is 200; what stands around its documents and types adds a few. */
const nestingMax = 210;

function readNode(tokens: Tokens, depth: number): JsonNode {
  if (depth > nestingMax) throw tokens.fault(`at most ${nestingMax} levels`);
  const token = tokens.next();
  if (token === "{") return { kind: "object", members: readMembers(tokens, depth) };
  if (token === "[") return { kind: "array", items: readItems(tokens, depth) };
  if (token.startsWith('"')) return { kind: "string", text: tokens.text(token) };
  if (/^[-\d]/.test(token)) return { kind: "number", text: token };
  if (/^[tfn]/.test(token)) return { kind: "literal", value: JSON.parse(token) };
  throw tokens.fault("a value");
}

function readMembers(tokens: Tokens, depth: number): [string, JsonNode][] {
  const members: [string, JsonNode][] = [];
  if (tokens.take("}")) return members;
  do {
    const key = tokens.next();
    if (!key.startsWith('"')) throw tokens.fault("a key");
    tokens.expect(":");
    members.push([tokens.text(key), readNode(tokens, depth + 1)]);
  } while (tokens.take(","));
  tokens.expect("}");
  return members;
}

function readItems(tokens: Tokens, depth: number): JsonNode[] {
  const items: JsonNode[] = [];
  if (tokens.take("]")) return items;
  do items.push(readNode(tokens, depth + 1)); while (tokens.take(","));
  tokens.expect("]");
  return items;
}

class Tokens {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  next(): string {
    const token = this.#peek();
    if (token === undefined) throw this.fault("more");
    this.#at = tokenPattern.lastIndex;
    return token;
  }

  take(token: string): boolean {
    if (this.#peek() !== token) return false;
    this.#at = tokenPattern.lastIndex;
    return true;
  }

  expect(token: string): void {
    if (!this.take(token)) throw this.fault(`"${token}"`);
  }

  end(): void {
    if (!/^[ \t\r\n]*$/.test(this.#text.slice(this.#at))) throw this.fault("its end");
  }

  /** What a string token says. */
  text(token: string): string {
    const text: string = JSON.parse(token);
    if (!text.isWellFormed()) throw this.fault("no half of a surrogate pair");
    return text;
  }

  fault(wanted: string): SyntaxError {
    return new SyntaxError(`Cannot read JSON at offset ${this.#at}: wanted ${wanted}`);
  }

  #peek(): string | undefined {
    tokenPattern.lastIndex = this.#at;
    return tokenPattern.exec(this.#text)?.slice(1).find((part) => part !== undefined);
  }
}
