/**
 * Raw BSON within a command. The driver serialises a command from a JavaScript object; this value puts ready-made bytes in its place, so that
 * options, index keys and pipelines go back exactly as they came.
 *
 * It leans on how the pinned bson package writes an ObjectId: the type byte, the key, then whatever `serializeInto` puts there. The test beside this file
 * fails when that changes.
 *
 * @module
 */

const keyEncoder = new TextEncoder();

/** A value of any BSON type, as the member `key` of a command. */
export class RawValue {
  readonly #type: number;
  readonly #value: Uint8Array;
  readonly #keyBytes: number;

  constructor(key: string, type: number, value: Uint8Array) {
    this.#type = type;
    this.#value = value;
    this.#keyBytes = keyEncoder.encode(key).length;
  }

  get _bsontype(): string {
    return "ObjectId";
  }

  get [Symbol.for("@@mdb.bson.type")](): string {
    return "ObjectId";
  }

  get [Symbol.for("@@mdb.bson.version")](): number {
    return 7;
  }

  /** Called by the serialiser, with the index behind the key's NUL. */
  serializeInto(buffer: Uint8Array, index: number): number {
    buffer[index - 2 - this.#keyBytes] = this.#type;
    buffer.set(this.#value, index);
    return this.#value.length;
  }
}
