/**
 * A fake server of MongoDB's wire protocol that says of itself whatever a test wants: what no mongod of the lab can be made to say.
 *
 * @module
 */

import * as bson from "bson";

const opcodes = { reply: 1, query: 2004, message: 2013 } as const;
const headerBytes = 16;

/** What a command is answered with. */
export type FakeReply = bson.Document | ((command: bson.Document) => bson.Document);

/** Answers every command with the reply of its name, or with `hello`'s. Listens on a free port of 127.0.0.1. */
export class FakeServer implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #connections = new Set<Deno.Conn>();
  readonly #replies: Readonly<Record<string, FakeReply>>;
  readonly #serving: Promise<void>;

  constructor(replies: { readonly hello: FakeReply; readonly [command: string]: FakeReply }) {
    this.#replies = replies;
    this.#serving = this.#serve();
  }

  get uri(): string {
    const { port } = this.#listener.addr as Deno.NetAddr;
    return `mongodb://127.0.0.1:${port}/?directConnection=true`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const connection of this.#connections) {
      try {
        connection.close();
      } catch {
        // Its client has ended it in this moment.
      }
    }
    await this.#serving;
  }

  async #serve(): Promise<void> {
    const conversations: Promise<void>[] = [];
    try {
      for await (const connection of this.#listener) {
        this.#connections.add(connection);
        conversations.push(
          this.#converse(connection).catch(() => {}).finally(() => this.#connections.delete(connection)),
        );
      }
    } finally {
      await Promise.all(conversations);
    }
  }

  async #converse(connection: Deno.Conn): Promise<void> {
    let held = new Uint8Array();
    for await (const chunk of connection.readable) {
      held = Uint8Array.from([...held, ...chunk]);
      while (held.length >= headerBytes) {
        const length = new DataView(held.buffer).getInt32(0, true);
        if (held.length < length) break;
        await connection.write(this.#answer(held.slice(0, length)));
        held = held.slice(length);
      }
    }
  }

  #answer(request: Uint8Array<ArrayBuffer>): Uint8Array {
    const view = new DataView(request.buffer);
    const isQuery = view.getInt32(12, true) === opcodes.query;
    // A query has flags, a name, skip and limit before its document; a message has flags and the section's kind.
    const documentAt = isQuery ? request.indexOf(0, headerBytes + 4) + 9 : headerBytes + 5;
    const documentEnd = documentAt + view.getInt32(documentAt, true);
    const command = bson.deserialize(request.subarray(documentAt, documentEnd));
    const [name = ""] = Object.keys(command);
    const reply = this.#replies[name] ?? this.#replies["hello"];
    const body = bson.serialize({ ok: 1, ...typeof reply === "function" ? reply(command) : reply });
    const before = isQuery ? new Uint8Array(20) : new Uint8Array(5);
    if (isQuery) new DataView(before.buffer).setInt32(16, 1, true);
    const header = new DataView(new ArrayBuffer(headerBytes));
    header.setInt32(0, headerBytes + before.length + body.length, true);
    header.setInt32(8, view.getInt32(4, true), true);
    header.setInt32(12, isQuery ? opcodes.reply : opcodes.message, true);
    return Uint8Array.from([...new Uint8Array(header.buffer), ...before, ...body]);
  }
}
