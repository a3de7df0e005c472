import assert from "node:assert/strict";
import { MongoNetworkError, MongoServerError } from "mongodb";
import { type ErrorCode, PluginError } from "../errors.ts";
import { driverError, isNamespaceNotFound, isOfServer, reasonOf } from "./driver_error.ts";

const server = (code: number, errmsg: string) =>
  new MongoServerError({ code, errmsg, message: errmsg, ok: 0 });

Deno.test("driverError() gives a failure the code that an operator has to act on", () => {
  const rows: { cause: unknown; code?: ErrorCode; want: ErrorCode }[] = [
    { cause: server(18, "Authentication failed."), code: "connect", want: "authentication" },
    {
      cause: server(13, "not authorized on admin to execute command"),
      code: "incompleteRead",
      want: "authentication",
    },
    { cause: server(43, "cursor id 5 not found"), code: "incompleteRead", want: "incompleteRead" },
    { cause: server(2, "bad value"), want: "serverCommand" },
    { cause: new MongoNetworkError("connection 1 closed"), want: "connect" },
    { cause: new MongoNetworkError("connection 1 closed"), code: "incompleteRead", want: "incompleteRead" },
    { cause: new MongoNetworkError("connection 1 closed"), code: "restoreWrite", want: "restoreWrite" },
    { cause: "a text", want: "serverCommand" },
  ];
  for (const { cause, code, want } of rows) {
    const error = driverError("read app.orders", cause, code);
    assert.equal(error.code, want);
    assert.equal(error.message, `Cannot read app.orders: ${cause instanceof Error ? cause.message : cause}`);
    assert.match(error.hint, /\.$/);
    assert.equal(error.cause, cause);
  }
});

Deno.test("driverError() leaves a failure that is understood already as it is", () => {
  const error = new PluginError("canceled", "Stopped");
  assert.equal(driverError("read", error, "incompleteRead"), error);
});

Deno.test("driverError() masks the password of a connection string", () => {
  assert.equal(
    driverError("connect", new Error("at mongodb://u:secret@h/x")).message,
    "Cannot connect: at mongodb://u:***@h/x",
  );
});

Deno.test("isNamespaceNotFound() knows the server's code for it", () => {
  assert.equal(isNamespaceNotFound(server(26, "ns not found")), true);
  assert.equal(isNamespaceNotFound(server(13, "not authorized")), false);
  assert.equal(isNamespaceNotFound(new Error("ns not found")), false);
});

Deno.test("isOfServer() tells a server that steps down or refuses the user from one that dislikes what it was given", () => {
  for (const code of [13, 18, 189, 10107, 11600, 11602, 13435]) {
    assert.equal(isOfServer(server(code, "")), true);
  }
  for (const code of [2, 67, 85, 86, 197, 11000]) assert.equal(isOfServer(server(code, "")), false);
});

Deno.test("reasonOf() says what a user lacks, and nothing of what is in the command", () => {
  const rows = [
    {
      said: '{ insert: "x", documents: [ { secret: 1 } ], ordered: true }',
      want: "insert, which takes insert and bypassDocumentValidation on app.x",
    },
    { said: '{ count: "system.js" }', want: "count, which takes find on app.system.js" },
    { said: '{ getMore: 5, collection: "a" }', want: "getMore, which takes find on the database app" },
    {
      said: "{ listCollections: 1 }",
      want: "listCollections, which takes listCollections on the database app",
    },
    { said: '{ "find": "a \\"b" , filter: {} }', want: 'find, which takes find on app.a \\"b' },
    {
      said: '{ applyOps: [ { op: "i", o: { secret: 1 } } ] }',
      want: "applyOps, which takes applyOps on the cluster",
    },
  ];
  for (const { said, want } of rows) {
    assert.equal(
      reasonOf(server(13, `not authorized on app to execute command ${said}`)),
      `not authorized on app to execute ${want}`,
    );
  }
});

Deno.test("reasonOf() says what listing all databases takes", () => {
  assert.equal(
    reasonOf(server(13, "Insufficient permissions to list all databases")),
    "Insufficient permissions to list all databases, which takes listDatabases on the cluster",
  );
});

Deno.test("reasonOf() masks a password too", () => {
  assert.equal(reasonOf(server(2, "at mongodb://u:secret@h/x")), "at mongodb://u:***@h/x");
  assert.equal(reasonOf("a text"), "a text");
});

Deno.test("driverError() shows an operator no failure of code that took a reply apart, but what stands in the way to a server", () => {
  for (const cause of [new TypeError("x is not a function"), new RangeError("Maximum call stack")]) {
    const failure = driverError("list the databases", cause);
    assert.deepEqual([failure.code, failure.message.includes(cause.message)], ["serverReply", false]);
    assert.match(driverError("connect to MongoDB", cause, "connect").message, new RegExp(cause.message));
  }
});
