/**
 * A server's users and roles: where a backup reads them, and how a restore puts them back.
 *
 * @module
 */

import { type Db, type Document, type MongoClient, MongoServerError, ReadPreference } from "mongodb";
import { bsonType, findElement, stringValue } from "../bson/document.ts";
import { PluginError } from "../errors.ts";
import {
  formatNamespace,
  gatheringNamespaces,
  parseNamespace,
  usersNamespaces,
  versionNamespace,
} from "../namespace.ts";
import type { MergedUsers, UserCollections, UsersTarget } from "../ports.ts";
import { describeNamed } from "./catalog.ts";
import { driverError, isNamespaceNotFound, isUnauthorized } from "./driver_error.ts";
import { rawDocuments } from "./raw_cursor.ts";
import { RawValue } from "./raw_value.ts";

const { users: usersAt, roles: rolesAt } = usersNamespaces;
const { users: gatheredUsersAt, roles: gatheredRolesAt } = gatheringNamespaces;
const badValue = 2;
const majority = { w: "majority" } as const;

/** Forms of users' records that servers from 4.0 on know; between them lie upgrades that weren't brought to their end. */
const knownSchemas: readonly number[] = [3, 5];
const newestSchema = 5;

/**
 * Where a server keeps users and roles.
 *
 * @throws PluginError `authentication` when they may not be read
 */
export async function listUserCollections(client: MongoClient): Promise<UserCollections> {
  const admin = client.db("admin");
  try {
    // Each is asked for, whether it is there or not: who may not read it must not find out by reading nothing.
    const [version] = await Promise.all(
      [versionNamespace, usersAt, rolesAt].map(({ collection }) =>
        admin.command({ find: collection, filter: { _id: "authSchema" }, limit: 1, singleBatch: true }, {
          readPreference: ReadPreference.SECONDARY_PREFERRED,
        })
      ),
    );
    const found: unknown = version!["cursor"].firstBatch[0]?.currentVersion;
    const collections = await describeNamed(admin, [rolesAt, usersAt, versionNamespace]);
    const hasAny = collections.some(({ namespace }) => namespace.collection !== versionNamespace.collection);
    return { collections: hasAny ? collections : [], authSchema: typeof found === "number" ? found : null };
  } catch (cause) {
    const failure = driverError("read the users and roles", cause);
    if (failure.code !== "authentication") throw failure;
    throw new PluginError(failure.code, failure.message, {
      hint:
        "The role backup may read admin.system.users, admin.system.roles and admin.system.version: grant it to the user of the " +
        "connection string, or say users=no to leave users and roles out.",
      cause,
    });
  }
}

/** The users and roles of the server that a client is connected to. */
export class MongoUsers implements UsersTarget {
  readonly #admin: Db;

  constructor(client: MongoClient) {
    this.#admin = client.db("admin");
  }

  async check(authSchema: number | null, drop: boolean): Promise<void> {
    const own: unknown = await this.#admin.command({ getParameter: 1, authSchemaVersion: 1 })
      .then((reply) => reply["authSchemaVersion"], () => null);
    // A server that doesn't say, or doesn't know the word any more, has the newest form.
    const [from, to] = [authSchema ?? newestSchema, typeof own === "number" ? own : newestSchema];
    if (knownSchemas.includes(from) && knownSchemas.includes(to) && from <= to) {
      return await this.#checkLogin(drop);
    }
    throw new PluginError(
      "restoreTarget",
      `Cannot restore users and roles: the backup has them in form ${from} of authSchema, the server in form ${to}; wanted ${
        knownSchemas.join(" or ")
      }, and none older than the backup's`,
      {
        hint:
          "Restore with users=no, and make the users anew: one of the two is of an upgrade of users' records that was not brought to its end, or too old.",
      },
    );
  }

  /** Asks for a merge of nothing: whoever may merge is told that there is nothing to do. */
  async #checkLogin(drop: boolean): Promise<void> {
    try {
      await this.#merge({ users: "", roles: "", drop, db: "" });
    } catch (cause) {
      if (cause instanceof MongoServerError && cause.code === badValue) return;
      throw isUnauthorized(cause)
        ? unauthorized(cause)
        : driverError("restore users and roles into this server", cause, "restoreTarget");
    }
  }

  async #merge(
    { users, roles, drop, db }: { users: string; roles: string; drop: boolean; db: string },
  ): Promise<void> {
    await this.#admin.command({
      _mergeAuthzCollections: 1,
      tempUsersCollection: users,
      tempRolesCollection: roles,
      drop,
      db,
      writeConcern: majority,
    });
  }

  async discard(patienceMs?: number): Promise<void> {
    const limit = patienceMs === undefined ? {} : { timeoutMS: patienceMs };
    for (const { collection } of [gatheredUsersAt, gatheredRolesAt]) {
      try {
        await this.#admin.command({ drop: collection, writeConcern: majority }, limit);
      } catch (cause) {
        if (isNamespaceNotFound(cause)) continue;
        throw driverError(`drop admin.${collection}, which may hold users' records`, cause, "restoreWrite");
      }
    }
  }

  async merge(drop: boolean, databases: readonly string[] | null): Promise<MergedUsers> {
    try {
      const present = await this.#gatheredNames();
      if (present.size === 0) return { users: 0, roles: 0, kept: [], own: [], removed: [] };
      const own = await this.#keepOwn(present);
      const gathered = await this.#gathered();
      const before = await this.#standing(gathered.roles);
      // The server removes of a database, or of all.
      for (const db of drop && databases !== null ? databases : [""]) {
        await this.#merge({
          users: present.has(gatheredUsersAt.collection) ? formatNamespace(gatheredUsersAt) : "",
          roles: present.has(gatheredRolesAt.collection) ? formatNamespace(gatheredRolesAt) : "",
          drop,
          db,
        });
      }
      const after = await this.#standing(gathered.roles);
      refuseUntaken(gathered, before, after, drop);
      const isOwn = (name: string) => own.includes(name);
      const stood = (name: string, now: ReadonlyMap<string, string>) =>
        !drop && now.has(name) && !isOwn(name);
      const users = [...gathered.users.keys()];
      const roles = [...gathered.roles.keys()];
      const kept = [
        ...users.filter((name) => stood(name, before.users)),
        ...roles.filter((name) => stood(name, before.roles)),
      ];
      return {
        users: users.filter((name) => !isOwn(name) && !stood(name, before.users)).length,
        roles: roles.filter((name) => !isOwn(name) && !stood(name, before.roles)).length,
        kept,
        own,
        removed: [...before.users.keys()].filter((name) => !after.users.has(name)),
      };
    } catch (cause) {
      throw isUnauthorized(cause)
        ? unauthorized(cause)
        : driverError("restore the users and roles", cause, "restoreWrite");
    }
  }

  /** Which of the two collections there is: a backup may have brought none. */
  async #gatheredNames(): Promise<ReadonlySet<string>> {
    const names = [gatheredUsersAt, gatheredRolesAt].map(({ collection }) => collection);
    const listed = await this.#admin.listCollections({ name: { $in: names } }, { nameOnly: true }).toArray();
    return new Set(listed.map(({ name }) => name));
  }

  /** Puts what the restore's own login hangs on among the gathered records, as it is in the target. */
  async #keepOwn(present: ReadonlySet<string>): Promise<string[]> {
    const { authInfo } = await this.#admin.command({ connectionStatus: 1 });
    const own: string[] = [];
    const keep = async (collection: string, _id: string, record: RawValue | Document) => {
      own.push(_id);
      if (!present.has(collection)) return;
      const updates = [{ q: { _id }, u: record, upsert: true }];
      await this.#admin.command({ update: collection, updates, writeConcern: majority });
    };
    for (const { user, db } of authInfo.authenticatedUsers as { user: string; db: string }[]) {
      const filter = { user, db };
      const [record] = await rawDocuments(this.#admin, { find: usersAt.collection, filter, limit: 1 });
      if (record === undefined) continue;
      await keep(gatheredUsersAt.collection, `${db}.${user}`, new RawValue("u", bsonType.document, record));
    }
    const roles: readonly Document[] = authInfo.authenticatedUserRoles;
    for (const role of await this.#describeRoles(roles)) {
      await keep(gatheredRolesAt.collection, role["_id"], role);
    }
    return own;
  }

  /** The records of those of some roles that users made. No user but an administrator may read them themselves. */
  async #describeRoles(roles: readonly Document[]): Promise<Document[]> {
    if (roles.length === 0) return [];
    const reply = await this.#admin.command({
      rolesInfo: roles.map(({ role, db }) => ({ role, db })),
      showPrivileges: true,
      showAuthenticationRestrictions: true,
    });
    return (reply["roles"] as Document[]).filter(({ isBuiltin }) => isBuiltin !== true).map((found) => {
      const { role, db, privileges, roles, authenticationRestrictions } = found;
      // A list of lists: one for the role, where a record has that one only.
      const own: Document[] = (authenticationRestrictions ?? []).flat();
      const restrictions = own.length > 0 ? { authenticationRestrictions: own } : {};
      return { _id: `${db}.${role}`, role, db, privileges, roles, ...restrictions };
    });
  }

  async #gathered(): Promise<Standing> {
    const users = await this.#recordsOf(gatheredUsersAt.collection);
    return { users, roles: await this.#recordsOf(gatheredRolesAt.collection) };
  }

  /** All users of the server, and those of some roles that it has. */
  async #standing(wanted: ReadonlyMap<string, string>): Promise<Standing> {
    const users = await this.#recordsOf(usersAt.collection);
    const names = [...wanted.keys()].map(parseNamespace).map(({ database, collection }) => ({
      role: collection,
      db: database,
    }));
    const roles = (await this.#describeRoles(names)).map((role) => [role["_id"], ""] as const);
    return { users, roles: new Map(roles) };
  }

  /** Raw records in hexadecimal, by their `_id`. */
  async #recordsOf(collection: string): Promise<Map<string, string>> {
    const records = await rawDocuments(this.#admin, { find: collection });
    return new Map(records.map((record) => {
      const id = findElement(record, "_id");
      return [id?.type === bsonType.string ? stringValue(id.value) : "", record.toHex()];
    }));
  }
}

/** Records by `database.name`. */
interface Standing {
  readonly users: ReadonlyMap<string, string>;
  readonly roles: ReadonlyMap<string, string>;
}

/** Without the server's own words, which may have records in them. */
function unauthorized(cause: unknown): PluginError {
  return new PluginError(
    "authentication",
    "Cannot restore the users and roles: the user may not merge them into the server's own, which takes createUser, createRole, dropUser, dropRole, " +
      "grantRole, revokeRole and viewRole on every database, and find on admin.system.users",
    {
      hint:
        "The roles restore and readWriteAnyDatabase let a user do so, and the role of packaging/roles/restore.js: grant them, or restore with users=no.",
      cause,
    },
  );
}

/** Refuses a merge that isn't complete: a server goes on behind a record that it can't take, and says so in its own log only. */
function refuseUntaken(gathered: Standing, before: Standing, after: Standing, drop: boolean): void {
  const isTaken = (name: string, record: string) =>
    drop || !before.users.has(name) ? after.users.get(name) === record : after.users.has(name);
  const missing = [
    ...[...gathered.users].filter(([name, record]) => !isTaken(name, record)).map(([name]) => `user ${name}`),
    ...[...gathered.roles.keys()].filter((name) => !after.roles.has(name)).map((name) => `role ${name}`),
  ];
  if (missing.length === 0) return;
  const shown = missing.slice(0, 5).join(", ") +
    (missing.length > 5 ? ` and ${missing.length - 5} more` : "");
  throw new PluginError(
    "restoreWrite",
    `Cannot restore the users and roles: the server didn't take ${shown}`,
    { hint: "See the server's log for the reason. Then restore again, or with users=no." },
  );
}
