/** Side B as a process of its own: `backend_child.ts <session>` does on standard input and output what the session's lines of side B say. */

import { runBackend } from "./parts.ts";
import { loadSessionVectors } from "./vector.ts";

const vector = (await loadSessionVectors()).find(({ name }) => name === Deno.args[0]);
if (vector === undefined) throw new RangeError(`there is no session ${Deno.args[0]}`);
const status = await runBackend({
  read: (into) => Deno.stdin.read(into),
  write: async (bytes) => {
    for (let at = 0; at < bytes.length;) at += await Deno.stdout.write(bytes.subarray(at));
  },
  close: () => {},
}, vector);
Deno.exit(status);
