import { strictEqual } from "node:assert/strict";
import { runFlag, runFlagScript } from "./permissions.ts";

const deny = "--deny-run";

for (
  const { tools, want } of [
    { tools: undefined, want: deny },
    { tools: "", want: deny },
    { tools: "/", want: deny },
    { tools: "/usr/bin", want: "--allow-run=/usr/bin/mongodump" },
    { tools: "/opt/tools-100.12_x/", want: "--allow-run=/opt/tools-100.12_x/mongodump" },
    { tools: "usr/bin", want: deny },
    { tools: "/usr/bin,/bin/sh", want: deny },
    { tools: "/usr/bin /bin", want: deny },
    { tools: "/usr/$(id)", want: deny },
    { tools: "/usr/`id`'\"", want: deny },
    { tools: "/usr/bin\n", want: deny },
  ]
) {
  Deno.test(`runFlag() and the launcher's script allow ${want.slice(2)} for ${JSON.stringify(tools)}`, async () => {
    strictEqual(runFlag(tools), want);
    const { stdout } = await new Deno.Command("sh", {
      args: ["-c", `${runFlagScript}\nprintf %s "$run"`],
      env: tools === undefined ? {} : { PODHEITOR_MONGODB_TOOLS: tools },
    }).output();
    strictEqual(new TextDecoder().decode(stdout), want);
  });
}
