/** Changes to a running replica set's configuration. */

import { until } from "./condition.ts";
import type { Member, ReplicaSet } from "./mongod.ts";

/** Changes the settings of members, and of the set, and waits until each of them knows. */
export async function reconfigure(
  set: ReplicaSet,
  settings: ReadonlyMap<Member, Record<string, unknown>>,
  ofSet: Record<string, unknown> = {},
): Promise<void> {
  const primary = await set.primary();
  const { config } = await set.command(primary, { replSetGetConfig: 1 }) as {
    config: { version: number; members: { host: string }[]; settings: Record<string, unknown> };
  };
  const version = config.version + 1;
  const changes = new Map([...settings].map(([{ host, port }, change]) => [`${host}:${port}`, change]));
  const members = config.members.map((one) => ({ ...one, ...changes.get(one.host) }));
  // More than one voting member at a time changes here, which a server only lets pass when it is told to.
  const changed = { ...config, version, members, settings: { ...config.settings, ...ofSet } };
  await set.command(primary, { replSetReconfig: changed, force: true });
  await until("the new configuration everywhere", 30_000, async () => {
    const replies = await Promise.all(set.members.map((member) => set.command(member, { hello: 1 })));
    return replies.every(({ setVersion }) => Number(setVersion) >= version);
  });
}
