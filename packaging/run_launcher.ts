/**
 * Running a launcher's script from the sources.
 *
 * @module
 */

/** Runs the script with this program's arguments, and ends as it does. */
export async function runLauncher(script: string, name: string): Promise<never> {
  const child = new Deno.Command("sh", {
    args: ["-c", script, name, ...Deno.args],
    stdin: "inherit",
    stdout: "inherit",
    stderr: "inherit",
  }).spawn();
  // Ctrl-C reaches the child by itself; it says how that ends.
  Deno.addSignalListener("SIGINT", () => {});
  Deno.addSignalListener("SIGTERM", () => child.kill("SIGTERM"));
  Deno.exit((await child.status).code);
}
