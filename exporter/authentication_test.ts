import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { hashSync } from "bcryptjs";
import { Authentication } from "./authentication.ts";

const users = new Map([["prom", hashSync("päss:word", 4)], ["other", hashSync("second", 5)]]);

function basic(user: string, password: string): string {
  return `Basic ${new TextEncoder().encode(`${user}:${password}`).toBase64()}`;
}

const cases = [
  { header: null, want: "refused" },
  { header: "", want: "refused" },
  { header: "Basic", want: "refused" },
  { header: "Basic !!!", want: "refused" },
  { header: `Basic ${btoa("prom")}`, want: "refused" },
  { header: `Bearer ${btoa("prom:päss:word")}`, want: "refused" },
  { header: basic("prom", "wrong"), want: "refused" },
  { header: basic("prom", ""), want: "refused" },
  { header: basic("", "päss:word"), want: "refused" },
  { header: basic("nobody", "päss:word"), want: "refused" },
  { header: basic("other", "päss:word"), want: "refused" },
  { header: basic("prom", "päss:word"), want: "admitted" },
  { header: basic("prom", "päss:word").replace("Basic ", "basic   "), want: "admitted" },
  { header: basic("other", "second"), want: "admitted" },
] as const;

for (const { header, want } of cases) {
  Deno.test(`admit() says ${want} to ${header}`, async () => {
    const authentication = new Authentication(users);
    strictEqual(await authentication.admit(header), want);
    // What is kept says the same.
    strictEqual(await authentication.admit(header), want);
  });
}

Deno.test("admit() computes one hash for a login, however often it comes, good or bad", async () => {
  const slow = new Authentication(new Map([["prom", hashSync("right", 10)]]));
  for (const password of ["right", "wrong"]) {
    const first = performance.now();
    await Promise.all(Array.from({ length: 200 }, () => slow.admit(basic("prom", password))));
    const once = performance.now() - first;
    const second = performance.now();
    for (let at = 0; at < 200; at++) await slow.admit(basic("prom", password));
    ok(
      performance.now() - second < Math.max(200, 2 * once),
      `${performance.now() - second} ms, once ${once} ms`,
    );
  }
});

Deno.test("admit() lets few wait for their hash, and a known good login pass them all", async () => {
  const authentication = new Authentication(new Map([["prom", hashSync("right", 8)]]));
  strictEqual(await authentication.admit(basic("prom", "right")), "admitted");
  const guesses = Array.from({ length: 50 }, (_, at) => authentication.admit(basic("prom", `guess ${at}`)));
  strictEqual(await authentication.admit(basic("prom", "right")), "admitted");
  const said = await Promise.all(guesses);
  deepStrictEqual(
    {
      refused: said.filter((one) => one === "refused").length,
      busy: said.filter((one) => one === "busy").length,
    },
    { refused: 10, busy: 40 },
  );
});

Deno.test("admit(): guesses don't push out a good login", async () => {
  const authentication = new Authentication(new Map([["prom", hashSync("right", 4)]]));
  await authentication.admit(basic("prom", "right"));
  for (let at = 0; at < 150; at++) await authentication.admit(basic("prom", `guess ${at}`));
  const waiting = Array.from({ length: 10 }, (_, at) => authentication.admit(basic("prom", `more ${at}`)));
  // All that may wait do, so that only what is kept is admitted.
  strictEqual(await authentication.admit(basic("prom", "right")), "admitted");
  await Promise.all(waiting);
});
