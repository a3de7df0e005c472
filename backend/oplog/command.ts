/**
 * What the command of an oplog entry does.
 *
 * @module
 */

import {
  type BsonElement,
  bsonType,
  elements,
  findElement,
  joinElements,
  stringValue,
} from "../bson/document.ts";
import { PluginError } from "../errors.ts";
import { formatNamespace, type Namespace, parseNamespace } from "../namespace.ts";
import { isTruthy, type OplogEntry } from "./entry.ts";

/** A command, by what a replay has to do for it. */
export type OplogCommand =
  | {
    readonly kind: "applyOps";
    readonly operations: Uint8Array;
    readonly partial: boolean;
    readonly prepare: boolean;
  }
  | { readonly kind: "commitTransaction" | "abortTransaction" }
  | { readonly kind: "create"; readonly namespace: Namespace; readonly isCollated: boolean }
  | { readonly kind: "drop"; readonly namespace: Namespace }
  | { readonly kind: "dropDatabase"; readonly database: string }
  | {
    readonly kind: "rename";
    readonly from: Namespace;
    readonly to: Namespace;
    readonly dropTarget: boolean;
  }
  | {
    readonly kind: "collMod";
    readonly namespace: Namespace;
    /** The part that changes an index. */
    readonly index: Uint8Array | null;
    /** The whole without that part; null where nothing else is in it. */
    readonly rest: Uint8Array | null;
  }
  | {
    readonly kind: "addIndexes" | "abortIndexes";
    readonly namespace: Namespace;
    readonly indexes: readonly Uint8Array[];
  }
  | { readonly kind: "dropIndexes"; readonly namespace: Namespace; readonly which: BsonElement }
  /** Goes to the server as it is. */
  | { readonly kind: "other"; readonly namespace: Namespace }
  /** Nothing to do: of the old server's storage, or without effect on data. */
  | { readonly kind: "ignored" };

const ignored: ReadonlySet<string> = new Set([
  "startIndexBuild",
  "setMultikeyMetadata",
  "dropIdent",
  "dbCheck",
]);

/** Options of collMod that servers have long ignored and newer ones refuse. */
const retired: ReadonlySet<string> = new Set(["noPadding", "usePowerOf2Sizes"]);

/**
 * Reads the command of an entry with `op: "c"`.
 *
 * @throws PluginError `oplogUnreplayable` for one that no replay could do, with its name
 */
export function readCommand({ namespace: { database }, object }: OplogEntry): OplogCommand {
  const [first] = elements(object);
  const name = first?.key ?? "";
  const argument = first?.type === bsonType.string ? stringValue(first.value) : "";
  const namespace = { database, collection: argument };
  switch (name) {
    case "applyOps":
      return readApplyOps(object, first!);
    case "commitTransaction":
    case "abortTransaction":
      return { kind: name };
    case "create":
      return { kind: "create", namespace, isCollated: findElement(object, "collation") !== undefined };
    case "drop":
      return { kind: "drop", namespace };
    case "dropDatabase":
      return { kind: "dropDatabase", database };
    case "renameCollection":
      return readRename(argument, object);
    case "collMod":
      return readCollMod(namespace, object);
    case "createIndexes":
      return { kind: "addIndexes", namespace, indexes: [without(object, new Set(["createIndexes"]))] };
    case "commitIndexBuild":
      return { kind: "addIndexes", namespace, indexes: listed(object) };
    case "abortIndexBuild":
      return { kind: "abortIndexes", namespace, indexes: listed(object) };
    case "dropIndexes":
    case "dropIndex":
    case "deleteIndexes":
    case "deleteIndex":
      return { kind: "dropIndexes", namespace, which: required(object, "index", name) };
    case "convertToCapped":
    case "emptycapped":
      return { kind: "other", namespace };
  }
  if (ignored.has(name)) return { kind: "ignored" };
  throw unreplayable(name, `${database}${argument === "" ? "" : `.${argument}`}`);
}

/** What a command touches; an applyOps is asked for its operations instead. */
export function touchedBy(command: OplogCommand): readonly Namespace[] {
  switch (command.kind) {
    case "rename":
      return [command.from, command.to];
    case "dropDatabase":
      return [{ database: command.database, collection: "" }];
    case "applyOps":
    case "commitTransaction":
    case "abortTransaction":
    case "ignored":
      return [];
    default:
      return [command.namespace];
  }
}

/** The failure for a command that can't be replayed. */
function unreplayable(name: string, where: string): PluginError {
  return new PluginError(
    "oplogUnreplayable",
    `Cannot replay ${
      name === "" ? "a command" : name
    } on ${where}: it changes more than an oplog's replay can redo`,
    {
      hint:
        "Nothing behind it can be had by replay: run a Full now that it is over, or update the plugin if it is of a newer server.",
    },
  );
}

function readApplyOps(object: Uint8Array, operations: BsonElement): OplogCommand {
  if (operations.type !== bsonType.array) throw unreplayable("applyOps", "something that is no list");
  return {
    kind: "applyOps",
    operations: operations.value,
    partial: isTruthy(findElement(object, "partialTxn")),
    prepare: isTruthy(findElement(object, "prepare")),
  };
}

function readRename(source: string, object: Uint8Array): OplogCommand {
  const target = required(object, "to", "renameCollection");
  return {
    kind: "rename",
    from: parseNamespace(source),
    to: parseNamespace(stringValue(target.value)),
    dropTarget: isTruthy(findElement(object, "dropTarget")),
  };
}

function readCollMod(namespace: Namespace, object: Uint8Array): OplogCommand {
  const rest = without(object, new Set(["index", ...retired]));
  return {
    kind: "collMod",
    namespace,
    index: findElement(object, "index")?.value ?? null,
    rest: [...elements(rest)].length > 1 ? rest : null,
  };
}

function listed(object: Uint8Array): Uint8Array[] {
  const indexes = required(object, "indexes", "an index build");
  return [...elements(indexes.value)].map(({ value }) => value);
}

function required(object: Uint8Array, key: string, command: string): BsonElement {
  const element = findElement(object, key);
  if (element !== undefined) return element;
  throw unreplayable(command, `something that it doesn't name (no "${key}")`);
}

function without(object: Uint8Array, keys: ReadonlySet<string>): Uint8Array {
  return joinElements([...elements(object)].filter(({ key }) => !keys.has(key)));
}

/** Where a change may mean that the data before and behind it don't go together: such entries have to be looked at. */
export function mayBeUpheaval(namespace: Namespace): boolean {
  return whatUpheaval(namespace) !== null;
}

/**
 * Refuses an entry that no slice may hold, since a replay over it would not give what the source had.
 *
 * @throws PluginError `oplogUnreplayable`
 */
export function refuseUpheaval({ namespace, object, object2 }: OplogEntry): void {
  const what = whatUpheaval(namespace);
  if (what === null) return;
  const id = findElement(object2?.value ?? object, "_id");
  // The same collection says which form users' records have: the first user to be made writes that.
  const isVersion = id?.type === bsonType.string && stringValue(id.value) === "featureCompatibilityVersion";
  if (namespace.database === "admin" && !isVersion) return;
  throw new PluginError(
    "oplogUnreplayable",
    `Cannot continue over a change of ${formatNamespace(namespace)}: ${what}`,
    {
      hint: "Run a Full now that it is over: what lies before and what lies behind can't be joined.",
    },
  );
}

function whatUpheaval({ database, collection }: Namespace): string | null {
  if (database === "admin" && collection === "system.version") {
    return "the feature compatibility version was changed";
  }
  const isResharding = database === "config" &&
    /^(reshardingOperations$|localReshardingOperations\.)/.test(collection);
  return isResharding ? "a collection was resharded" : null;
}
