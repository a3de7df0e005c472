/** Running a program to its end. */

/** How {@linkcode run} starts a program. */
export interface RunOptions {
  readonly cwd?: string;
  /** Added to this process's own environment. */
  readonly env?: Record<string, string>;
  /** Text for the program's standard input; without it, that is empty. */
  readonly input?: string;
}

/**
 * Runs a program and returns its standard output.
 *
 * @throws Error with the end of both outputs when the program can't be started or fails
 */
export async function run(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const { cwd, env, input } = options;
  const child = new Deno.Command(program, {
    args: [...args],
    ...(cwd === undefined ? {} : { cwd }),
    ...(env === undefined ? {} : { env }),
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const [output] = await Promise.all([child.output(), feed(child.stdin, input ?? "")]);
  const text = new TextDecoder();
  const stdout = text.decode(output.stdout);
  if (output.success) return stdout;
  const said = lastLines(`${stdout}\n${text.decode(output.stderr)}`, 20);
  const how = output.signal ?? `exit status ${output.code}`;
  throw new Error(`${program} ${args.join(" ")}: ${how}${said === "" ? "" : `\n${said}`}`);
}

async function feed(stdin: WritableStream<Uint8Array>, input: string): Promise<void> {
  const writer = stdin.getWriter();
  try {
    if (input !== "") await writer.write(new TextEncoder().encode(input));
    await writer.close();
  } catch (cause) {
    // A program that ends without reading its input says why by its exit status.
    if (!(cause instanceof Deno.errors.BrokenPipe)) throw cause;
  }
}

/** The last lines of a text, without surrounding white space. */
export function lastLines(text: string, count: number): string {
  return text.trim().split("\n").slice(-count).join("\n").trim();
}

/** Whether the machine has a program of this name on its PATH. */
export async function isOnPath(program: string): Promise<boolean> {
  return await findOnPath(program) !== null;
}

/** The path of a program on PATH, or null. */
export async function findOnPath(program: string): Promise<string | null> {
  for (const folder of (Deno.env.get("PATH") ?? "").split(":")) {
    const path = `${folder === "" ? "." : folder}/${program}`;
    const found = await Deno.stat(path).catch(() => null);
    if (found?.isFile && ((found.mode ?? 0) & 0o111) !== 0) return path;
  }
  return null;
}
