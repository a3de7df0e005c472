/**
 * Texts on their way to Bacula's job log, whose messages are short and whose formatter minds control characters.
 *
 * @module
 */

const encoder = new TextEncoder();

/** A text in parts of at most `maxBytes` of UTF-8, cut at line feeds where there are any, and between characters in any case. */
export function splitText(text: string, maxBytes: number): string[] {
  const parts: string[] = [];
  let rest = printable(text);
  while (byteLength(rest) > maxBytes) {
    const head = takeBytes(rest, maxBytes);
    const lineEnd = head.lastIndexOf("\n");
    const part = lineEnd > 0 ? head.slice(0, lineEnd) : head;
    parts.push(part);
    rest = rest.slice(part.length + (lineEnd > 0 ? 1 : 0));
  }
  parts.push(rest);
  return parts;
}

/** A text cut to `maxBytes` of UTF-8, with an ellipsis where something is missing. */
export function cutText(text: string, maxBytes: number): string {
  const whole = printable(text);
  return byteLength(whole) <= maxBytes ? whole : `${takeBytes(whole, maxBytes - 3)}…`;
}

/** A text whose control characters, but for line feeds, can be seen. */
function printable(text: string): string {
  return [...text.toWellFormed()].map((character) =>
    isControl(character) ? `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}` : character
  )
    .join("");
}

/** Whether a character is a control character other than the line feed. */
export function isControl(character: string): boolean {
  const code = character.charCodeAt(0);
  return (code < 0x20 && character !== "\n") || code === 0x7f;
}

function byteLength(text: string): number {
  return encoder.encode(text).length;
}

/** The longest beginning of a text that needs at most `maxBytes`, cut between characters. */
function takeBytes(text: string, maxBytes: number): string {
  const { read } = encoder.encodeInto(text, new Uint8Array(maxBytes));
  return text.slice(0, read);
}
