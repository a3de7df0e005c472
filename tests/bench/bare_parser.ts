/**
 * The floor under an exporter's first scrape: reads every JSON file of a folder, parses it, and throws it away. Its argument is the folder; it prints how
 * many files there were.
 *
 * @module
 */

async function parseFiles(folder: string): Promise<number> {
  let files = 0;
  for (const { name } of Deno.readDirSync(folder)) {
    JSON.parse(await Deno.readTextFile(`${folder}/${name}`));
    files++;
  }
  return files;
}

console.log(await parseFiles(Deno.args[0]!));
