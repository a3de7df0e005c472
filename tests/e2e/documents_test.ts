/** The commands that documents other than the operator's guide have, each as it stands there, on a real Bacula, a real replica set and what is built. */

import assert from "node:assert/strict";
import type { Command } from "../documents/commands.ts";
import { commandsOf } from "../documents/register.ts";
import { Desk } from "./documents/desk.ts";
import { type Scene, scenesOf } from "./documents/scenes.ts";

Deno.test("the documents' commands do what they say", async (t) => {
  await using desk = await Desk.open();
  const scenes = scenesOf(desk);
  const played = new Set<unknown>();
  for (const command of await commandsOf("tests/e2e/documents_test.ts")) {
    const scene: Partial<Scene> = scenes.find(({ of }) => of.test(command.text)) ?? {};
    played.add(scene);
    await t.step(`${command.document}:${command.line}: ${command.text}`, async () => {
      await scene.before?.();
      const text = bind(command, { ...desk.names, ...scene.names });
      const said = scene.perform === undefined
        ? await desk.type(command.tool, text, scene.folder)
        : await scene.perform(text);
      await scene.after?.(said);
    });
  }
  assert.deepEqual(scenes.filter((scene) => !played.has(scene)).map(({ of }) => of), []);
});

/** A command with all names replaced at once, so that none is found in another one's meaning. */
function bind({ text }: Command, names: Readonly<Record<string, string>>): string {
  const known = Object.keys(names).sort((a, b) => b.length - a.length).map((name) => RegExp.escape(name));
  return text.replaceAll(new RegExp(known.join("|"), "g"), (name) => names[name]!);
}
