/**
 * actionlint, the linter of GitHub's workflows.
 *
 * @module
 */

import { cached } from "../lab/cache.ts";
import { run } from "../lab/command.ts";
import { ensureTools } from "../lab/tools.ts";

const version = "1.7.7";

/** Path of actionlint, which is built from its source once; Go's checksum database vouches for that. */
export async function findActionlint(): Promise<string> {
  const folder = await cached(
    `actionlint-${version}`,
    `building actionlint ${version}, to lint workflows with`,
    build,
  );
  return `${folder}/actionlint`;
}

async function build(folder: string): Promise<void> {
  await ensureTools(["go"]);
  const env = {
    GOBIN: folder,
    GOPATH: `${folder}/go`,
    GOCACHE: `${folder}/go/cache`,
    GOFLAGS: "-modcacherw",
    GOTOOLCHAIN: "local",
  };
  await run("go", ["install", `github.com/rhysd/actionlint/cmd/actionlint@v${version}`], {
    env,
    cwd: folder,
  });
  await Deno.remove(`${folder}/go`, { recursive: true });
}
