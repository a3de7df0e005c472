import { strictEqual } from "node:assert/strict";
import { nearest } from "./nearest.ts";

const known = ["database", "drop", "uri", "uri_file"];
const cases = [
  { name: "a letter missing", input: "databse", want: "database" },
  { name: "letters exchanged", input: "dorp", want: "drop" },
  { name: "capitals", input: "DATABASE", want: "database" },
  { name: "the closest of several", input: "uri_fil", want: "uri_file" },
  { name: "nothing close", input: "compression", want: undefined },
  { name: "an empty text", input: "", want: undefined },
];

for (const { name, input, want } of cases) {
  Deno.test(`nearest: ${name}`, () => strictEqual(nearest(input, known), want));
}
