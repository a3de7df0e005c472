import { strictEqual } from "node:assert/strict";
import { keepsEmptyTimestamps } from "./empty_timestamp.ts";

const cases = [
  { version: "4.4.29", want: false },
  { version: "5.0.28", want: false },
  { version: "5.0.29", want: true },
  { version: "6.0.5", want: false },
  { version: "6.0.17", want: true },
  { version: "6.0.27-21", want: true },
  { version: "6.3.20", want: false },
  { version: "7.0.12", want: false },
  { version: "7.0.13", want: true },
  { version: "8.0.0", want: true },
  { version: "8.2.1-rc0", want: true },
];

for (const { version, want } of cases) {
  Deno.test(`keepsEmptyTimestamps: ${version} ${want ? "does" : "doesn't"}`, () => {
    strictEqual(keepsEmptyTimestamps(version), want);
  });
}
