/**
 * The exporter's executable: metrics, made of what jobs leave in the File Daemon's working directory.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { PluginError } from "../backend/errors.ts";
import { program } from "../backend/version.ts";
import { Authentication } from "./authentication.ts";
import { type Listen, parseListen } from "./listen.ts";
import { Metrics } from "./metrics.ts";
import { refuse, respond, responseOf, type RouteContext, routes } from "./routes.ts";
import { serve } from "./server.ts";
import { WorkingDirectory } from "./sidecar/working_directory.ts";
import { readWebSettings } from "./web_files.ts";

const name = "podheitor-mongodb-exporter";

const usage = `Usage:
  ${name} [--listen HOST:PORT] [--working-dir DIR] [--web.config.file FILE]
  ${name} --version | --help

Serves what the backups of MongoDB leave in the File Daemon's working directory DIR (/opt/bacula/working by default), on HOST:PORT (:9105 by default, which
is all addresses of IPv4):
${routes.map(({ path, about }) => `  ${path.padEnd(22)} ${about}`).join("\n")}
FILE is Prometheus' own file for TLS (cert_file, key_file) and basic authentication (basic_auth_users); what else it has is refused. Nothing is written, no server of MongoDB is asked, and no secret of it is known.
Exit status: 0 stopped by SIGTERM or SIGINT, 1 failed, 2 wrong arguments.`;

/** How long requests may take that are being answered when the exporter is told to stop. */
const stopPatienceMs = 5000;

interface Arguments {
  readonly listen: Listen;
  readonly workingDirectory: string;
  readonly webConfig: string | null;
}

async function main(args: string[]): Promise<number> {
  const said = parse(args);
  if (typeof said === "string") {
    console.log(said);
    return 0;
  }
  const { listen, workingDirectory, webConfig } = said;
  const { tls, users } = webConfig === null
    ? { tls: null, users: new Map<string, string>() }
    : await readWebSettings(webConfig).catch((cause) => {
      throw wrongUse(reasonOf(cause));
    });
  const authentication = users.size === 0 ? null : new Authentication(users);
  const context: RouteContext = {
    sidecars: new WorkingDirectory(workingDirectory, Deno.uid(), say),
    metrics: new Metrics({
      version: program.version,
      denoVersion: Deno.version.deno,
      startedAt: Math.floor(Date.now() / 1000),
    }),
    now: () => Date.now() / 1000,
  };
  const stopped = signalled();
  const server = serve({ ...listen, tls }, (request) => answer(request, context, authentication));
  const scheme = tls === null ? "http" : "https";
  say(`${name} ${program.version} serves ${workingDirectory} on ${scheme}://${server.address}`);
  if (tls === null && authentication !== null) {
    say("Passwords come without TLS: name cert_file and key_file in the web configuration");
  }
  // The first look reads every file; scrapes that come meanwhile wait for it, but nobody who wants it to stop.
  context.sidecars.survey().catch((cause) => say(`The first look failed: ${reasonOf(cause)}`));
  say(`${name} stops on ${await stopped}`);
  await server.stop(stopPatienceMs);
  return 0;
}

/** The arguments, or what to print in place of running. */
function parse(args: string[]): Arguments | string {
  const text = { type: "string" } as const;
  const flag = { type: "boolean" } as const;
  try {
    const { values } = parseArgs({
      args,
      options: { listen: text, "working-dir": text, "web.config.file": text, help: flag, version: flag },
      strict: true,
    });
    if (values.help === true) return usage;
    if (values.version === true) return `${name} ${program.version}`;
    if (values["working-dir"] === "") throw new Error("--working-dir is empty");
    if (values["web.config.file"] === "") throw new Error("--web.config.file is empty");
    return {
      listen: parseListen(values.listen ?? ":9105"),
      workingDirectory: values["working-dir"] ?? "/opt/bacula/working",
      webConfig: values["web.config.file"] ?? null,
    };
  } catch (cause) {
    throw wrongUse(reasonOf(cause));
  }
}

function wrongUse(reason: string): PluginError {
  return new PluginError("usage", `Cannot run: ${reason}`, { hint: "See --help." });
}

/** Why a request isn't answered, or null. */
async function refusalOf(request: Request, authentication: Authentication | null): Promise<Response | null> {
  if (authentication === null) return null;
  switch (await authentication.admit(request.headers.get("authorization"))) {
    case "admitted":
      return null;
    case "refused":
      return responseOf(request, refuse(401, "Log in with a user of the web configuration"), {
        "www-authenticate": 'Basic realm="podheitor-mongodb-exporter", charset="UTF-8"',
      });
    case "busy":
      return responseOf(request, refuse(503, "Too many logins are being checked: try again"), {
        "retry-after": "5",
      });
  }
}

/** An answer, whatever happens: what nobody foresaw is a line in the log and a sentence for the client. */
async function answer(
  request: Request,
  context: RouteContext,
  authentication: Authentication | null,
): Promise<Response> {
  try {
    return await refusalOf(request, authentication) ?? await respond(request, context);
  } catch (cause) {
    say(`A request for ${new URL(request.url).pathname} failed: ${reasonOf(cause)}`);
    return responseOf(request, refuse(500, "The exporter failed; its log says why"));
  }
}

/** Which signal asks it to stop, as soon as one does. */
function signalled(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      Deno.addSignalListener(signal, () => resolve(signal));
    }
  });
}

/** A line of the log, which is standard error's. */
function say(line: string): void {
  console.error(line.replaceAll(/\p{Cc}/gu, " "));
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

if (import.meta.main) {
  try {
    Deno.exit(await main(Deno.args));
  } catch (cause) {
    console.error(cause instanceof PluginError ? cause.report : `Cannot run: ${reasonOf(cause)}`);
    Deno.exit(cause instanceof PluginError ? 2 : 1);
  }
}
