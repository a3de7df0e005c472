// Makes or renews the role of a user who backs up, with what a backup takes and nothing else. For mongosh, as a user who may make roles:
//
//     mongosh "mongodb://admin@db1/admin?replicaSet=rs0" backup.js
//
// and then, once:
//
//     db.getSiblingDB("admin").createUser({ user: "backup", pwd: passwordPrompt(), roles: ["podheitorBackup"] })
//
// It can do less than the built-in roles backup and clusterMonitor together: it can write nothing at all.

const collections = { db: "", collection: "" };
const isFrom5On = Number(db.version().split(".")[0]) >= 5;

const privileges = {
  // Every job: estimate, listing and query as well.
  documents: [
    { resource: { cluster: true }, actions: ["listDatabases"] },
    { resource: collections, actions: ["listCollections", "listIndexes", "find"] },
    { resource: { db: "", collection: "system.js" }, actions: ["listIndexes", "find"] },
  ],
  // Time series.
  buckets: isFrom5On ? [{ resource: { db: "", system_buckets: "" }, actions: ["find"] }] : [],
  // Every job on a replica set: the slice of a Full, incrementals.
  oplog: [
    { resource: { db: "local", collection: "oplog.rs" }, actions: ["find"] },
    { resource: { db: "config", collection: "transactions" }, actions: ["find"] },
  ],
  // Jobs with users=yes, or users=auto with database=*.
  users: ["system.users", "system.roles", "system.version"].map((collection) => (
    { resource: { db: "admin", collection }, actions: ["listIndexes", "find"] }
  )),
  // No job fails without these: they tell hidden members, lag and rollbacks, and how large collections and the oplog are.
  advised: [
    { resource: { cluster: true }, actions: ["replSetGetStatus", "replSetGetConfig", "serverStatus"] },
    { resource: collections, actions: ["collStats", "dbStats"] },
    { resource: { db: "local", collection: "oplog.rs" }, actions: ["collStats"] },
  ],
};

const role = { privileges: Object.values(privileges).flat(), roles: [] };
const admin = db.getSiblingDB("admin");
if (admin.getRole("podheitorBackup") === null) admin.createRole({ role: "podheitorBackup", ...role });
else admin.updateRole("podheitorBackup", role);
