// Makes or renews the role of a user who restores, with what a restore takes and nothing else. For mongosh, as a user who may make roles:
//
//     mongosh "mongodb://admin@db1/admin?replicaSet=rs0" restore.js
//
// and then, once:
//
//     db.getSiblingDB("admin").createUser({ user: "restore", pwd: passwordPrompt(), roles: ["podheitorRestore"] })
//
// Who may restore users may make users, and so has all that a user can be given: leave `users` out where no restore brings any.

const collections = { db: "", collection: "" };
const isFrom5On = Number(db.version().split(".")[0]) >= 5;

const privileges = {
  // Every restore.
  documents: [
    {
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
      resource: { db: "", collection: "system.js" },
      actions: ["find", "insert", "bypassDocumentValidation", "remove"],
    },
  ],
  // Time series.
  buckets: isFrom5On
    ? [{ resource: { db: "", system_buckets: "" }, actions: ["insert", "bypassDocumentValidation"] }]
    : [],
  // Restores of a replica set's backup: the slice of a Full, incrementals, a point in time.
  oplog: [
    ...isFrom5On ? [{ resource: { cluster: true }, actions: ["applyOps"] }] : [],
    { resource: collections, actions: ["update", "collMod"] },
  ],
  // Restores with users and roles.
  users: [
    {
      resource: collections,
      actions: ["createUser", "createRole", "dropUser", "dropRole", "grantRole", "revokeRole", "viewRole"],
    },
    { resource: { db: "admin", collection: "system.users" }, actions: ["find"] },
  ],
};

const role = { privileges: Object.values(privileges).flat(), roles: [] };
const admin = db.getSiblingDB("admin");
if (admin.getRole("podheitorRestore") === null) admin.createRole({ role: "podheitorRestore", ...role });
else admin.updateRole("podheitorRestore", role);
