/** What is read of a working directory, and what isn't. */

import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { histories, History, historyEnd } from "../../tests/lab/histories.ts";
import { run } from "../../tests/lab/command.ts";
import { until } from "../../tests/lab/condition.ts";
import { withFolder } from "../../tests/lab/folder.ts";
import { judge } from "../assessment.ts";
import type { Survey } from "../survey.ts";
import { WorkingDirectory } from "./working_directory.ts";

const isRoot = Deno.uid() === 0;

/** A directory with a good resource, one more file, and what the exporter says of it. */
async function inDirectory(
  use: (folder: string, directory: WorkingDirectory, said: string[]) => Promise<void>,
): Promise<void> {
  await withFolder(async (folder) => {
    await new History("good", historyEnd).backup("F").write(folder);
    const said: string[] = [];
    await use(folder, new WorkingDirectory(folder, Deno.uid(), (line) => said.push(line)), said);
  });
}

function statsPath(folder: string, resource = "bad"): string {
  return `${folder}/podheitor-mongodb-${resource}-stats.json`;
}

function statesOf({ resources }: Survey): Record<string, string> {
  return Object.fromEntries(resources.map((one) => [one.name, judge(one, historyEnd + 600).state]));
}

const good = new History("bad", historyEnd).backup("F").statsText;

/** How a file is spoilt, and what is said of it then. */
const spoilt: { name: string; lay: (path: string) => Promise<unknown>; want: RegExp; root?: true }[] = [
  { name: "empty", lay: (path) => Deno.writeTextFile(path, ""), want: /: It is malformed: it is no JSON$/ },
  {
    name: "half written",
    lay: (path) => Deno.writeTextFile(path, good.slice(0, good.length / 2)),
    want: /: It is malformed: it is no JSON$/,
  },
  { name: "of another kind", lay: (path) => Deno.writeTextFile(path, "[1]"), want: /: It is malformed: / },
  {
    name: "of another resource",
    lay: (path) => Deno.writeTextFile(path, good.replace('"bad"', '"good"')),
    want: /: It is of the resource "good"$/,
  },
  {
    name: "of another format",
    lay: (path) => Deno.writeTextFile(path, good.replace("stats/1", "stats/2")),
    want: /: It is malformed: format: /,
  },
  {
    name: "no text",
    lay: (path) => Deno.writeFile(path, new Uint8Array([0xff, 0xfe, 0])),
    want: /: It can't be read: /,
  },
  {
    name: "so deep that a parser may give up",
    lay: (path) => Deno.writeTextFile(path, "[".repeat(1 << 20)),
    want: /: It is malformed: /,
  },
  {
    name: "huge",
    lay: async (path) => {
      await Deno.writeTextFile(path, good);
      await Deno.truncate(path, 2 ** 33);
    },
    want: /: It is larger than 33554432 bytes$/,
  },
  {
    name: "a link",
    lay: (path) => Deno.symlink("podheitor-mongodb-good-stats.json", path),
    want: /: It is a link, which may lead anywhere$/,
  },
  { name: "a link to nowhere", lay: (path) => Deno.symlink("/nowhere", path), want: /: It is a link, / },
  { name: "a pipe", lay: (path) => run("mkfifo", [path]), want: /: It is no regular file$/ },
  { name: "a directory", lay: (path) => Deno.mkdir(path), want: /: It is no regular file$/ },
  {
    name: "a device",
    lay: (path) => run("mknod", [path, "c", "1", "5"]),
    want: /no regular file$/,
    root: true,
  },
  {
    name: "anybody's to write",
    lay: async (path) => {
      await Deno.writeTextFile(path, good);
      await Deno.chmod(path, 0o666);
    },
    want: /: Anybody may write to it$/,
  },
  {
    name: "a stranger's",
    lay: async (path) => {
      await Deno.writeTextFile(path, good);
      await Deno.chown(path, 4321, 4321);
    },
    want: /: It belongs to the user 4321, who is neither /,
    root: true,
  },
];

for (const { name, lay, want, root = false } of spoilt) {
  Deno.test({
    name: `survey(): a sidecar that is ${name} takes down its own resource and is said once${
      root ? " (needs root)" : ""
    }`,
    ignore: root && !isRoot,
    fn: async () => {
      await inDirectory(async (folder, directory, said) => {
        await lay(statsPath(folder));
        for (let look = 0; look < 3; look++) {
          deepStrictEqual(statesOf(await directory.survey()), { bad: "unreadable", good: "ok" });
          await pastFreshness(directory);
        }
        strictEqual(said.length, 1, said.join("\n"));
        match(said[0]!, want);
        match(said[0]!, /^podheitor-mongodb-bad-stats\.json: /);
        await Deno.remove(statsPath(folder), { recursive: true });
        await Deno.writeTextFile(statsPath(folder), good);
        await surveyed(directory, (survey) => statesOf(survey)["bad"] === "ok");
        deepStrictEqual(said.slice(1), ["bad can be read again"]);
      });
    },
  });
}

Deno.test("survey(): of a file with one job that can't be read, the others are", async () => {
  await inDirectory(async (folder, directory, said) => {
    const file = JSON.parse(new History("bad", historyEnd).backup("F").backup("I").backup("I").statsText);
    file.jobs[1].bytes = -1;
    await Deno.writeTextFile(statsPath(folder), JSON.stringify(file));
    const bad = (await directory.survey()).resources.find(({ name }) => name === "bad");
    strictEqual(bad?.jobs, 2);
    match(said.join(), /^podheitor-mongodb-bad-stats\.json: It is malformed: jobs\.1\.bytes: /);
  });
});

Deno.test("survey(): of a file with many jobs that can't be read, the first ones are named and the others counted", async () => {
  await inDirectory(async (folder, directory, said) => {
    const file = JSON.parse(histories.year("bad", historyEnd).statsText);
    for (const job of file.jobs) job.bytes = 0.5;
    await Deno.writeTextFile(statsPath(folder), JSON.stringify(file));
    const bad = (await directory.survey()).resources.find(({ name }) => name === "bad");
    strictEqual(bad?.jobs, 0);
    strictEqual(said.length, 11);
    match(said[9]!, /: It is malformed: jobs\.9\.bytes: /);
    strictEqual(
      said[10],
      `podheitor-mongodb-bad-stats.json: It is malformed: ${file.jobs.length - 10} more of its jobs`,
    );
    deepStrictEqual(bad.problems.map(({ file, sentence }) => `${file}: ${sentence}`), said);
  });
});

Deno.test("survey() says again what is wrong only when that is something else", async () => {
  await inDirectory(async (folder, directory, said) => {
    const tells = async (text: string, revisions: number) => {
      await Deno.writeTextFile(statsPath(folder), text);
      const { revision } = await directory.survey();
      await surveyed(directory, (survey) => survey.revision >= revision + revisions);
    };
    await tells("{", 0);
    await pastFreshness(directory);
    await tells("{{", 1);
    strictEqual(said.length, 1, said.join("\n"));
    await tells("[]", 1);
    strictEqual(said.length, 2, said.join("\n"));
  });
});

Deno.test("survey() reads what newer and older versions wrote", async () => {
  await inDirectory(async (folder, directory) => {
    const file = JSON.parse(new History("bad", historyEnd).backup("F").rehearsal().statsText);
    file.machine = "new";
    file.jobs[0].rehearsal.seconds = 3;
    file.jobs[1].oplog.end.wall = "new";
    file.jobs[1].more = {};
    for (const field of ["slice", "oplogWindow", "lagSeconds", "verification", "rehearsal"]) {
      delete file.jobs[1][field];
    }
    await Deno.writeTextFile(statsPath(folder), JSON.stringify(file));
    const tips = JSON.parse(new History("bad", historyEnd).backup("F").tipText!);
    tips.tips[0].more = 1;
    tips.tips[0].scope.more = 1;
    await Deno.writeTextFile(`${folder}/podheitor-mongodb-bad-tip.json`, JSON.stringify(tips));
    deepStrictEqual(statesOf(await directory.survey()), { bad: "ok", good: "ok" });
  });
});

Deno.test("survey() doesn't look at files of other names", async () => {
  await inDirectory(async (folder, directory, said) => {
    const names = [
      "podheitor-mongodb-bad-stats.json.tmp",
      "podheitor-mongodb-bad-stats.json.lock",
      "podheitor-mongodb-bad-stats.json.unreadable",
      "podheitor-mongodb-bad-restore.json",
      "podheitor-mongodb--stats.json",
      "podheitor-mongodb-.hidden-stats.json",
      "podheitor-mongodb-a b-stats.json",
      "podheitor-mongodb-a\nb-stats.json",
      `podheitor-mongodb-${"a".repeat(65)}-stats.json`,
      "bacula-fd.9102.state",
    ];
    for (const name of names) await Deno.writeTextFile(`${folder}/${name}`, "no");
    deepStrictEqual(Object.keys(statesOf(await directory.survey())), ["good"]);
    deepStrictEqual(said, []);
  });
});

Deno.test("survey() says once that the directory can't be read, and once that it can be again", async () => {
  await withFolder(async (folder) => {
    const said: string[] = [];
    const directory = new WorkingDirectory(`${folder}/later`, null, (line) => said.push(line));
    for (let look = 0; look < 3; look++) {
      const { resources, trouble } = await directory.survey();
      strictEqual(resources.length, 0);
      match(trouble!, /^The working directory .*\/later can't be read: /);
      await pastFreshness(directory);
    }
    strictEqual(said.length, 1);
    await Deno.mkdir(`${folder}/later`);
    await histories.oneJob("good", historyEnd).write(`${folder}/later`);
    await surveyed(directory, ({ resources }) => resources.length === 1);
    strictEqual(said.length, 2);
  });
});

Deno.test("survey() reads a file again when it was changed, replaced or removed, and no other file", async () => {
  await inDirectory(async (folder, directory) => {
    const history = new History("bad", historyEnd).backup("F");
    await history.write(folder);
    const before = await directory.survey();
    await pastFreshness(directory);
    strictEqual(await directory.survey(), before);
    await Deno.writeTextFile(`${folder}/new`, history.wait(60).backup("I").statsText);
    await Deno.rename(`${folder}/new`, statsPath(folder));
    const replaced = await surveyed(directory, ({ resources }) => resources[0]?.jobs === 2);
    strictEqual(replaced.resources[1], before.resources[1]);
    ok(replaced.revision > before.revision);
    await Deno.remove(statsPath(folder));
    await Deno.remove(`${folder}/podheitor-mongodb-bad-tip.json`);
    await surveyed(directory, ({ resources }) => resources.length === 1);
  });
});

Deno.test("survey(): calls at the same time share one look", async () => {
  await inDirectory(async (_folder, directory) => {
    const surveys = await Promise.all(Array.from({ length: 50 }, () => directory.survey()));
    strictEqual(new Set(surveys).size, 1);
    strictEqual(surveys[0]!.revision, 1);
  });
});

Deno.test("survey() never has half of a file that is replaced again and again", async () => {
  await inDirectory(async (folder, directory, said) => {
    const path = statsPath(folder, "good");
    const texts = [1, 300].map((jobs) => {
      const history = new History("good", historyEnd);
      for (let at = 0; at < jobs; at++) history.backup("F");
      return history.statsText;
    });
    let writes = 0;
    let isOver = false;
    const writing = (async () => {
      for (; !isOver; writes++) {
        await Deno.writeTextFile(`${path}.tmp`, texts[writes % 2]!);
        await Deno.rename(`${path}.tmp`, path);
      }
    })();
    const seen = new Set<number>();
    await until("both files to be seen", 60_000, async () => {
      const { resources: [one] } = await directory.survey();
      seen.add(one!.jobs);
      return seen.size > 1 && writes > 50;
    });
    isOver = true;
    await writing;
    deepStrictEqual([...seen].sort((a, b) => a - b), [1, 300]);
    deepStrictEqual(said, []);
  });
});

Deno.test("history() has all jobs of one resource, and null for what isn't there", async () => {
  await inDirectory(async (folder, directory) => {
    const history = histories.year("bad", historyEnd);
    await history.write(folder);
    deepStrictEqual((await directory.history("bad"))?.jobs, history.jobs);
    strictEqual(await directory.history("nobody"), null);
    strictEqual(await directory.history("../good"), null);
  });
});

/** Until the directory is looked at again. */
async function pastFreshness(directory: WorkingDirectory): Promise<void> {
  const started = performance.now();
  await until("a new look", 5000, () => performance.now() - started > 300);
  await directory.survey();
}

async function surveyed(directory: WorkingDirectory, fits: (survey: Survey) => boolean): Promise<Survey> {
  return await until("the survey to follow", 10_000, async () => {
    const survey = await directory.survey();
    return fits(survey) && survey;
  });
}
