/**
 * What the stand-ins for MongoDB's tools have in common: how they speak, and that they are told a secret in no other way than by a config file.
 *
 * @module
 */

/** Says a line on standard error, as the tools do. */
export function sayAsTool(text: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(`2026-11-23T08:15:00.000+0100\t${text}\n`));
}

/** The connection string of the config file, which nobody else may read, and which stands nowhere else. */
export function readToolUri(path: string, refuse: (reason: string) => never): string {
  const { mode, isFile } = Deno.lstatSync(path);
  if (!isFile || (mode! & 0o777) !== 0o600) refuse("the config file is not a file of mode 0600");
  const uri = JSON.parse(
    /^uri: (".*")\n$/.exec(Deno.readTextFileSync(path))?.[1] ?? refuse("the config file has no uri"),
  );
  const { password, pathname, searchParams } = new URL(uri);
  if (pathname !== "/") refuse("the uri has a database, and so has --db");
  if (searchParams.get("directConnection") !== "true") refuse("the uri leads to no single member");
  const elsewhere = Deno.readTextFileSync("/proc/self/cmdline") + JSON.stringify(Deno.env.toObject());
  if (
    elsewhere.includes("mongodb://") || (password !== "" && elsewhere.includes(decodeURIComponent(password)))
  ) {
    refuse("a secret is among the arguments or in the environment");
  }
  return uri;
}
