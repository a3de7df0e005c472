/**
 * What a console asks of a server before there is any job: the content of a path, the values of a parameter. Nothing but names and sizes is read.
 *
 * @module
 */

import { PluginError } from "../errors.ts";
import { formatNamespace } from "../namespace.ts";
import type { FileHeader } from "../objects.ts";
import { nearest } from "../options/nearest.ts";
import { forEachAtOnce } from "../parallel.ts";
import type { Collection, Source } from "../ports.ts";
import { metadataSize, virtualFile } from "./estimate.ts";
import { databasePath, escapeName, metadataPath, objectRoot, segmentPath } from "./object_path.ts";

/** What a listing needs. */
export interface ListingContext {
  /** As a backup sees it. */
  readonly source: Source;
  readonly resource: string;
  announceFile(file: FileHeader): Promise<void>;
  announceDirectory(file: FileHeader): Promise<void>;
  /** Unix seconds that everything carries as its times. */
  readonly timeSeconds: number;
}

/** Databases whose sizes are asked for at the same time. */
const sizesAtOnce = 8;

/**
 * Names what is at a path: the databases at the root, the collections in a database, a collection at its own. A path may be a virtual name, or begin
 * with a database: `/@mongodb/rs0/app`, `/app`.
 *
 * @throws PluginError `optionInvalid` where there is no such thing
 */
export async function runListing(context: ListingContext, path: string): Promise<void> {
  const { source, resource } = context;
  const [database, collection, ...deeper] = componentsOf(path, resource);
  const names = await source.listDatabases();
  if (database === undefined) return await listDatabases(context, names);
  const name = names.find((name) => isCalled(name, database));
  if (name === undefined) {
    throw nothingThere(path, "the server has no such database", names.map(escapeName));
  }
  const collections = await source.listCollections(name);
  const found = collection === undefined
    ? collections
    : collections.filter((one) => deeper.length === 0 && isCollectionCalled(one, collection));
  if (collection !== undefined && found.length === 0) {
    const there = collections.map(({ namespace }) => escapeName(namespace.collection));
    throw nothingThere(path, "the database has no such collection", there);
  }
  for (const one of found) await context.announceFile(describeCollection(one, context));
}

async function listDatabases(context: ListingContext, names: readonly string[]): Promise<void> {
  const { source, resource, timeSeconds } = context;
  const sizes = new Map<string, number>();
  await forEachAtOnce(names, sizesAtOnce, async (name) => {
    sizes.set(name, await source.databaseSize(name));
  });
  for (const name of names) {
    const directory = virtualFile(databasePath(resource, name), sizes.get(name) ?? 0, timeSeconds);
    await context.announceDirectory({ ...directory, mode: 0o700 });
  }
}

/** A collection is one file, that of its first segment; a view has nothing but its metadata. */
function describeCollection(
  { namespace, data, metadata, sizeHintBytes }: Collection,
  { resource, timeSeconds }: ListingContext,
): FileHeader {
  return data === null
    ? virtualFile(metadataPath(resource, namespace), metadataSize(metadata), timeSeconds)
    : virtualFile(segmentPath(resource, namespace, 0), sizeHintBytes, timeSeconds);
}

/** The components of a path below the resource. */
function componentsOf(path: string, resource: string): string[] {
  const components = path.split("/").filter((component) => component !== "");
  if (components[0] !== objectRoot.replaceAll("/", "")) return components;
  const [, named, ...rest] = components;
  if (named !== undefined && named !== resource) {
    throw nothingThere(path, "the plugin command is of another resource", [resource]);
  }
  return rest;
}

function isCalled(name: string, component: string): boolean {
  return component === name || component === escapeName(name);
}

function isCollectionCalled({ namespace }: Collection, component: string): boolean {
  return ["", ".bson", ".metadata.json"].some((ending) =>
    component.endsWith(ending) &&
    isCalled(namespace.collection, component.slice(0, component.length - ending.length))
  );
}

function nothingThere(path: string, reason: string, names: readonly string[]): PluginError {
  const [, last = ""] = /([^/]*)\/*$/.exec(path) ?? [];
  const near = nearest(last, names);
  return new PluginError(
    "optionInvalid",
    `Cannot list ${JSON.stringify(path)}: ${reason}${near === undefined ? "" : `; did you mean "${near}"?`}`,
    { hint: "List / to see the databases." },
  );
}

/** What parameters there are, and their values. */
const parameters = {
  databases: async function* (source: Source): AsyncGenerator<string> {
    for (const name of await source.listDatabases()) yield `database=${name}`;
  },
  collections: async function* (source: Source): AsyncGenerator<string> {
    for (const name of await source.listDatabases()) {
      for (const { namespace } of await source.listCollections(name)) {
        yield `collection=${formatNamespace(namespace)}`;
      }
    }
  },
};

/**
 * Answers what values a parameter may have, one `key=value` each. A control character in a name is written `%0A`, as in a virtual name.
 *
 * @throws PluginError `optionUnavailable` for a parameter that there isn't
 */
export async function* answerQuery(source: Source, parameter: string): AsyncGenerator<string> {
  if (!isParameter(parameter)) {
    throw new PluginError(
      "optionUnavailable",
      `Cannot answer: there is no parameter ${JSON.stringify(parameter)}`,
      {
        hint: `The parameters are ${Object.keys(parameters).join(" and ")}.`,
      },
    );
  }
  for await (const value of parameters[parameter](source)) {
    yield value.replaceAll(/\p{Cc}/gu, escapeName);
  }
}

function isParameter(name: string): name is keyof typeof parameters {
  return Object.hasOwn(parameters, name);
}
