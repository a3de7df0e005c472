/**
 * Which member of a set is read, by what operators say of it and by what becomes of members: on a real set with an arbiter.
 *
 * @module
 */

import assert from "node:assert/strict";
import { MongoClient } from "mongodb";
import { openSource } from "../../backend/mongo/source.ts";
import { anySource, type SourceOptions } from "../../backend/mongo/source_rules.ts";
import type { Deployment } from "../../backend/ports.ts";
import { Secret } from "../../backend/secret.ts";
import { until } from "../lab/condition.ts";
import { type Member, ReplicaSet } from "../lab/mongod.ts";
import { reconfigure } from "../lab/reconfigure.ts";
import { failsWith } from "./mongo_edges.ts";

const address = ({ host, port }: Member) => `${host}:${port}`;

/** What was chosen, and why not others. */
type Choice = Deployment & { readonly warnings: readonly string[] };

async function choose(uri: string, options: Partial<SourceOptions> = {}): Promise<Choice> {
  await using source = await openSource(new Secret(uri), { ...anySource, ...options });
  return { ...source.deployment, warnings: source.warnings };
}

function reasonFor(choice: Choice, member: Member): string {
  const found = choice.members.find(({ host }) => host === address(member));
  assert.ok(found !== undefined, JSON.stringify(choice.members));
  return `${found.score === null ? "no" : "yes"}: ${found.reason}`;
}

Deno.test("openSource() chooses among the members of a set", async (t) => {
  await using set = await ReplicaSet.start({
    members: 5,
    arbiters: 1,
    extraArgs: ["--setParameter", "enableTestCommands=1"],
  });
  await using client = new MongoClient(set.uri);
  const primary = await set.primary();
  const arbiter = set.members.at(-1)!;
  const [one, two, three] = set.members.filter(({ port }) =>
    ![primary.port, arbiter.port].includes(port)
  ) as [
    Member,
    Member,
    Member,
  ];
  const stateOf = async (member: Member) => {
    const { members } = await set.command(primary, { replSetGetStatus: 1 }) as {
      members: { name: string; stateStr: string }[];
    };
    return members.find(({ name }) => name === address(member))!.stateStr;
  };
  const write = () => client.db("app").collection("writes").insertOne({});
  // Nobody else becomes primary, tags tell members apart, and none that is held up holds up others that would read its oplog.
  await reconfigure(
    set,
    new Map([
      [one, { priority: 0, tags: { dc: "east", use: "backup" } }],
      [two, { priority: 0, tags: { dc: "east" } }],
      [three, { priority: 0, tags: { dc: "west" } }],
    ]),
    { chainingAllowed: false },
  );
  await until("everyone to follow the primary", 60_000, async () => {
    const replies = await Promise.all(
      [one, two, three].map((member) => set.command(member, { replSetGetStatus: 1 })),
    );
    return replies.every(({ syncSourceHost }) => syncSourceHost === address(primary));
  });
  await until("the primary to know its secondaries", 30_000, async () => {
    const states = await Promise.all([one, two, three].map(stateOf));
    return states.every((state) => state === "SECONDARY");
  });

  await t.step("a secondary, never an arbiter, and says of every member what it thought of it", async () => {
    const choice = await choose(set.uri);
    assert.equal(choice.sourceState, "SECONDARY");
    assert.deepEqual(choice.warnings, []);
    assert.equal(choice.chosenBy, "readPreference=secondaryPreferred, max_source_lag=300");
    assert.equal(choice.members.length, 5);
    assert.equal(choice.members[0]!.host, choice.source);
    assert.match(reasonFor(choice, one), /^yes: \d s behind, oplog of 0\.0 h$/);
    assert.match(reasonFor(choice, primary), /^yes: 0 s behind/);
    assert.equal(reasonFor(choice, arbiter), "no: it is an arbiter, which has no data");
  });

  await t.step("by tags, of which the plugin command's come before the connection string's", async () => {
    assert.equal((await choose(set.uri, { tags: "dc:west" })).source, address(three));
    assert.equal((await choose(set.uri, { tags: "dc:north;use:backup,dc:east" })).source, address(one));
    const uri = `${set.uri}&readPreference=secondary&readPreferenceTags=dc:north&readPreferenceTags=dc:west`;
    assert.equal((await choose(uri)).source, address(three));
    const choice = await choose(uri, { tags: "use:backup" });
    assert.equal(choice.source, address(one));
    assert.match(
      choice.chosenBy,
      /^readPreference=secondary \(connection string\), tags=use:backup \(plugin command, in place of the connection string's dc:north;dc:west\)/,
    );
    assert.equal(reasonFor(choice, two), "no: it doesn't have the tags");
    await assert.rejects(
      choose(set.uri, { tags: "dc:north", readPreference: "secondary" }),
      failsWith(
        "connect",
        /none is usable by readPreference=secondary, tags=dc:north, .*it doesn't have the tags/,
      ),
    );
  });

  await t.step("the one that source= names, and no other", async () => {
    for (const member of [one, two, three]) {
      const choice = await choose(set.uri, { source: address(member) });
      assert.deepEqual([choice.source, choice.warnings], [address(member), []]);
    }
    const choice = await choose(set.uri, { source: address(primary) });
    assert.deepEqual([choice.source, choice.sourceState], [address(primary), "PRIMARY"]);
    assert.match(choice.warnings.join(), /^Reading from the primary .*: source= names it$/);
    const rows = [
      { source: address(arbiter), want: new RegExp(`${address(arbiter)}: it is an arbiter`) },
      { source: "elsewhere:1", want: new RegExp(`${address(one)}: source= names another member`) },
    ];
    for (const { source, want } of rows) {
      await assert.rejects(choose(set.uri, { source }), failsWith("connect", want));
    }
  });

  await t.step("none that avoid= names, and says which it doesn't know", async () => {
    const avoid = [one, two].map(address);
    const choice = await choose(set.uri, { avoid: [...avoid, "elsewhere:1"] });
    assert.equal(choice.source, address(three));
    assert.equal(reasonFor(choice, one), "no: avoid= names it");
    assert.deepEqual(choice.warnings, ["avoid= names elsewhere:1, which the set doesn't have"]);
    const last = await choose(set.uri, { avoid: [...avoid, address(three)] });
    assert.equal(last.source, address(primary));
    for (const member of [one, two, three]) {
      assert.ok(last.warnings.join().includes(`${address(member)}: avoid= names it`), last.warnings.join());
    }
  });

  await t.step("the primary where readPreference says so", async () => {
    for (const readPreference of ["primary", "primaryPreferred"] as const) {
      const choice = await choose(set.uri, { readPreference });
      assert.deepEqual([choice.source, choice.warnings], [address(primary), []]);
    }
    assert.equal((await choose(`${set.uri}&readPreference=primary`)).source, address(primary));
    assert.ok((await choose(set.uri, { readPreference: "nearest" })).source !== address(arbiter));
  });

  const others = [two, three].map(address);

  await t.step("no member in maintenance, which is RECOVERING", async () => {
    await set.command(one, { replSetMaintenance: 1 });
    await until("the primary to know", 30_000, async () => await stateOf(one) === "RECOVERING");
    const choice = await choose(set.uri, { avoid: others });
    assert.equal(choice.source, address(primary));
    assert.match(choice.warnings.join(), new RegExp(`${address(one)}: it is in state RECOVERING`));
    await assert.rejects(
      choose(set.uri, { avoid: others, readPreference: "secondary" }),
      failsWith("connect", new RegExp(`${address(one)}: it is in state RECOVERING`)),
    );
    await set.command(one, { replSetMaintenance: 0 });
    await until("the primary to know", 30_000, async () => await stateOf(one) === "SECONDARY");
  });

  const stops = [
    {
      name: "stops applying",
      begin: () => set.command(one, { configureFailPoint: "rsSyncApplyStop", mode: "alwaysOn" }),
      end: () => set.command(one, { configureFailPoint: "rsSyncApplyStop", mode: "off" }),
    },
    {
      name: "is locked by fsync",
      begin: () => set.command(one, { fsync: 1, lock: true }),
      end: () => set.command(one, { fsyncUnlock: 1 }),
    },
  ];
  for (const { name, begin, end } of stops) {
    await t.step(`no member that ${name} and is further behind than may be`, async () => {
      await using held = new AsyncDisposableStack();
      await begin();
      held.defer(async () => void await end());
      const bound = { avoid: others, max_source_lag: 1 };
      const choice = await until("the lag to be seen", 30_000, async () => {
        await write();
        const choice = await choose(set.uri, bound);
        return choice.source === address(primary) ? choice : null;
      });
      assert.match(reasonFor(choice, one), /^no: it is \d+ s behind, more than max_source_lag$/);
      assert.match(choice.warnings.join(), /^Reading from the primary .* s behind, more than max_source_lag/);
      const stale = await choose(`${set.uri}&maxStalenessSeconds=1`, { avoid: others });
      assert.match(reasonFor(stale, one), /^no: it is \d+ s behind, more than maxStalenessSeconds$/);
      // With the others at hand, the one that lags least comes first; what was written just now may be behind nobody else yet.
      await until("another to be ahead", 30_000, async () => (await choose(set.uri)).source !== address(one));
      assert.equal((await choose(set.uri, { source: address(one) })).source, address(one));
      await held.disposeAsync();
      await until(
        "it to catch up",
        30_000,
        async () => (await choose(set.uri, bound)).source === address(one),
      );
    });
  }

  await t.step("no delayed member but by its name", async () => {
    const delay = set.binary.version.startsWith("4.") ? "slaveDelay" : "secondaryDelaySecs";
    await reconfigure(set, new Map([[one, { hidden: true, [delay]: 5 }]]));
    const choice = await choose(set.uri);
    assert.ok(others.includes(choice.source));
    assert.equal(reasonFor(choice, one), "no: it is delayed by 5 s");
    const named = await choose(set.uri, { source: address(one), max_source_lag: 60 });
    assert.equal(named.source, address(one));
    assert.match(reasonFor(named, one), /^yes: hidden, delayed by 5 s, /);
    assert.match(named.warnings.join(), /is delayed on purpose/);
    await reconfigure(set, new Map([[one, { hidden: true, [delay]: 0 }]]));
    assert.equal((await choose(set.uri)).source, address(one));
  });

  await t.step("no member in initial sync", async () => {
    const hold = {
      failCommands: ["listDatabases"],
      blockConnection: true,
      blockTimeMS: 3_000,
      failInternalCommands: true,
    };
    const sources = set.members.filter(({ port }) => ![arbiter.port, one.port].includes(port));
    for (const member of sources) {
      await set.command(member, { configureFailPoint: "failCommand", mode: "alwaysOn", data: hold });
    }
    await set.kill(one, "SIGKILL");
    await Deno.remove(one.dbpath, { recursive: true });
    const back = set.restart(one);
    await until("its initial sync", 30_000, async () => await stateOf(one) === "STARTUP2");
    const choice = await choose(set.uri);
    assert.ok(others.includes(choice.source));
    assert.equal(reasonFor(choice, one), "no: it is starting or in initial sync (STARTUP2)");
    for (const member of sources) {
      await set.command(member, { configureFailPoint: "failCommand", mode: "off" });
    }
    await back;
  });
});
