import assert from "node:assert/strict";
import fc from "fast-check";
import { formatBar } from "./terminal.ts";

Deno.test("formatBar() shows the share where the size is known", () => {
  const rows = [
    { read: 0, total: null, want: "Backing up: 0 B" },
    { read: 5 << 20, total: 0, want: "Backing up: 5.0 MiB" },
    {
      read: 0,
      total: 1 << 30,
      want: "[------------------------------]   0 %  0 B of about 1.0 GiB",
    },
    {
      read: 256 << 20,
      total: 1 << 30,
      want: "[#######-----------------------]  25 %  256.0 MiB of about 1.0 GiB",
    },
  ];
  for (const { read, total, want } of rows) assert.equal(formatBar(read, total), want);
});

Deno.test("formatBar() is never longer than its line, whatever was written meanwhile", () => {
  fc.assert(fc.property(fc.maxSafeNat(), fc.maxSafeNat(), (read, total) => {
    const bar = formatBar(read, total);
    assert.ok(bar.length < 80 && (total === 0 || /^\[#*-*\] .{3} %/.test(bar)), bar);
  }));
});
