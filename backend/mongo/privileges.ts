/**
 * What jobs take of their logins: the same as the roles of `packaging/roles/` grant, which a test holds against this table.
 *
 * @module
 */

/** A privilege's resource in MongoDB's own form. */
export interface Resource {
  readonly cluster?: boolean;
  readonly anyResource?: boolean;
  readonly db?: string;
  readonly collection?: string;
  readonly system_buckets?: string;
}

/** A privilege, as `connectionStatus` shows it. */
export interface Privilege {
  readonly resource: Resource;
  readonly actions: readonly string[];
}

/** When a job fails without a privilege. `advised`: never. */
export type Need = "always" | "storedFunctions" | "timeSeries" | "oplog" | "users" | "advised";

interface NeededPrivilege extends Privilege {
  readonly need: Need;
  /** First series of MongoDB that has it. */
  readonly since?: number;
}

const cluster: Resource = { cluster: true };
const collections: Resource = { db: "", collection: "" };
const functions: Resource = { db: "", collection: "system.js" };
const buckets: Resource = { db: "", system_buckets: "" };
const oplog: Resource = { db: "local", collection: "oplog.rs" };

/** What each kind of job takes. A database's name that is empty stands for each database of the job. */
export const neededPrivileges = {
  backup: [
    { need: "always", resource: cluster, actions: ["listDatabases"] },
    { need: "always", resource: collections, actions: ["listCollections", "listIndexes", "find"] },
    { need: "storedFunctions", resource: functions, actions: ["listIndexes", "find"] },
    { need: "timeSeries", resource: buckets, actions: ["find"], since: 5 },
    { need: "oplog", resource: oplog, actions: ["find"] },
    { need: "oplog", resource: { db: "config", collection: "transactions" }, actions: ["find"] },
    ...["system.users", "system.roles", "system.version"].map((collection) => (
      { need: "users", resource: { db: "admin", collection }, actions: ["listIndexes", "find"] } as const
    )),
    {
      need: "advised",
      resource: cluster,
      actions: ["replSetGetStatus", "replSetGetConfig", "serverStatus"],
    },
    { need: "advised", resource: collections, actions: ["collStats", "dbStats"] },
    { need: "advised", resource: oplog, actions: ["collStats"] },
  ],
  restore: [
    {
      need: "always",
      resource: collections,
      actions: [
        "listCollections",
        "listIndexes",
        "find",
        "insert",
        "bypassDocumentValidation",
        "remove",
        "createCollection",
        "convertToCapped",
        "dropCollection",
        "createIndex",
      ],
    },
    {
      need: "storedFunctions",
      resource: functions,
      actions: ["find", "insert", "bypassDocumentValidation", "remove"],
    },
    { need: "timeSeries", resource: buckets, actions: ["insert", "bypassDocumentValidation"], since: 5 },
    { need: "oplog", resource: cluster, actions: ["applyOps"], since: 5 },
    { need: "oplog", resource: collections, actions: ["update", "collMod"] },
    {
      need: "users",
      resource: collections,
      actions: ["createUser", "createRole", "dropUser", "dropRole", "grantRole", "revokeRole", "viewRole"],
    },
    { need: "users", resource: { db: "admin", collection: "system.users" }, actions: ["find"] },
  ],
} as const satisfies Record<string, readonly NeededPrivilege[]>;

/** A kind of job. */
export type Purpose = keyof typeof neededPrivileges;

/** What a login lacks. */
export interface MissingPrivilege {
  readonly need: Need;
  /** `find on the database app` */
  readonly text: string;
}

/**
 * What a login lacks for a job.
 *
 * @param series of the server, as in 4.4
 * @param databases of the job; none stands for any
 */
export function findMissing(
  granted: readonly Privilege[],
  purpose: Purpose,
  series: number,
  databases: readonly string[],
): MissingPrivilege[] {
  const rows: readonly NeededPrivilege[] = neededPrivileges[purpose];
  return rows.filter(({ since = 0 }) => since <= series).flatMap(({ need, resource, actions }) => {
    const wanted = resource.db === "" && databases.length > 0
      ? databases.map((db) => ({ ...resource, db }))
      : [resource];
    const lacking = wanted.map((one) => ({
      one,
      actions: actions.filter((action) => !granted.some((privilege) => grants(privilege, one, action))),
    }));
    // Where nothing is granted on any of them, they are named together.
    const isSame = lacking.every(({ actions }) => actions.join() === lacking[0]!.actions.join());
    const named = isSame ? [{ one: resource, actions: lacking[0]!.actions }] : lacking;
    return named.filter(({ actions }) => actions.length > 0).map(({ one, actions }) => ({
      need,
      text: `${actions.join(", ")} on ${describeResource(one)}`,
    }));
  });
}

function grants({ resource, actions }: Privilege, wanted: Resource, action: string): boolean {
  return covers(resource, wanted) && (actions.includes(action) || actions.includes("anyAction"));
}

/** As a server has it: an empty name of a database isn't `local` or `config`, one of a collection isn't `system.…`. */
function covers(granted: Resource, wanted: Resource): boolean {
  if (granted.anyResource === true) return true;
  if (wanted.cluster === true || granted.cluster === true) return wanted.cluster === granted.cluster;
  const isOwn = wanted.db === "local" || wanted.db === "config";
  // The built-in roles name the buckets of all databases without a database.
  if (granted.db !== wanted.db && ((granted.db ?? "") !== "" || isOwn)) return false;
  if (wanted.system_buckets !== undefined) return granted.system_buckets === "";
  if (granted.collection === wanted.collection) return true;
  return granted.collection === "" && !wanted.collection?.startsWith("system.");
}

function describeResource({ cluster, db, collection, system_buckets }: Resource): string {
  if (cluster === true) return "the cluster";
  const where = db === "" ? "every database" : `the database ${db}`;
  if (system_buckets !== undefined) return `the buckets of time series of ${where}`;
  if (collection === "") return where;
  return db === "" ? `${collection} of ${where}` : `${db}.${collection}`;
}
