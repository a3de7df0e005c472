/**
 * In place of the backend: tries everything that the tests name, and prints the names of what Deno lets it do. Any other failure than Deno's own
 * refusal ends it.
 */

import { statfsSync } from "node:fs";
import { connect } from "node:net";

const { attempts } = await import("./attempts.js");

const ways = {
  read: (path) => Deno.readTextFileSync(path),
  write: (path) => Deno.openSync(path, { create: true, append: true }).close(),
  env: (name) => {
    // Deno answers as if it were not set.
    if (Deno.env.get(name) === undefined) throw new Deno.errors.NotCapable(name);
  },
  run: (program) => new Deno.Command(program, { clearEnv: true }).outputSync(),
  sys: (name) => name === "statfs" ? statfsSync("/") : Deno[name](),
  ffi: (path) => Deno.dlopen(path, {}),
  connect: async (hostname, port) => (await Deno.connect({ hostname, port })).close(),
  listen: (hostname) => Deno.listen({ hostname, port: 0 }).close(),
  fetch: async (hostname, port) => await (await fetch(`http://${hostname}:${port}/`)).body?.cancel(),
  node: async (hostname, port) => {
    const { promise, resolve, reject } = Promise.withResolvers();
    const socket = connect(port, hostname, resolve).on("error", reject);
    await promise;
    socket.destroy();
  },
  giveUpWriting: (path) => Deno.permissions.revokeSync({ name: "write", path }),
};

const granted = [];
for (const { name, way, values } of attempts) {
  try {
    await ways[way](...values);
    granted.push(name);
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotCapable)) throw cause;
  }
}
console.log(JSON.stringify(granted));
