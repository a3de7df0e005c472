import assert from "node:assert/strict";
import { asPluginError, type ErrorCode, errorTable, PluginError } from "./errors.ts";

Deno.test("PluginError.report is the number and the message, and the hint in a line of its own", () => {
  const rows = [
    { error: new PluginError("connect", "Cannot reach db1:27017"), want: "MONGO-301 Cannot reach db1:27017" },
    {
      error: new PluginError("usage", "No command is given", { hint: "See --help." }),
      want: "MONGO-110 No command is given\nHint: See --help.",
    },
  ];
  for (const { error, want } of rows) assert.equal(error.report, want);
});

Deno.test("PluginError has a report with its own number for every code of the table", () => {
  const heads = Object.keys(errorTable).map((code) => new PluginError(code as ErrorCode, "x").report);
  assert.equal(new Set(heads).size, Object.keys(errorTable).length);
  for (const head of heads) assert.match(head, /^MONGO-[1-9]\d\d x$/);
});

Deno.test("PluginError keeps its cause, and has none where none was given", () => {
  const cause = new TypeError("x");
  assert.equal(new PluginError("internal", "y", { cause }).cause, cause);
  assert.equal(Object.hasOwn(new PluginError("internal", "y"), "cause"), false);
});

Deno.test("asPluginError() hands a PluginError back as it is", () => {
  const error = new PluginError("canceled", "Stopped: the job was cancelled");
  assert.equal(asPluginError(error), error);
});

Deno.test("asPluginError() makes any other value an internal error with its text and without its stack", () => {
  const rows = [
    { thrown: new RangeError("too far"), want: "Unexpected failure: RangeError: too far" },
    { thrown: "a text", want: "Unexpected failure: a text" },
    { thrown: undefined, want: "Unexpected failure: undefined" },
    { thrown: { a: 1 }, want: "Unexpected failure: [object Object]" },
  ];
  for (const { thrown, want } of rows) {
    const error = asPluginError(thrown);
    assert.equal(error.code, "internal");
    assert.equal(error.message, want);
    assert.equal(error.cause, thrown);
    assert.match(error.report, /^MONGO-901 .*\nHint: [^\n]+\.$/);
  }
});

Deno.test("PluginError's hint says what to do where no file can be opened any more, whatever it was for", () => {
  const rows = [
    { message: "Cannot write /x: Too many open files (os error 24): open '/x'", want: /LimitNOFILE=/ },
    { message: "Cannot look for the member: connect EMFILE 127.0.0.1:1", want: /LimitNOFILE=/ },
    { message: "Cannot write /x: No space left on device (os error 28)", want: /^See to it\.$/ },
    { message: "Cannot read app.EMFILES", want: /^See to it\.$/ },
  ];
  for (const { message, want } of rows) {
    assert.match(new PluginError("stateWrite", message, { hint: "See to it." }).hint, want);
  }
});
