/**
 * What bash completes.
 *
 * @module
 */

import { optionRows } from "../../backend/options/table.ts";
import { type CommandLine, readUsage } from "./command_lines.ts";
import { usage } from "./tables.ts";

/** The script for bash. */
export async function completion(): Promise<string> {
  const { program, commands } = readUsage(await usage("backend"));
  // The File Daemon's plugin types that one.
  const typed = commands.filter(({ name }) => name !== "job" && !name.startsWith("-"));
  const first = [...typed.map(({ name }) => name), "--version", "--help"];
  const parameters = optionRows.filter(([, row]) => row.form).map(([name]) => `${name}=`);
  const values = new Map(typed.flatMap(({ options }) => [...options]));
  const folders = [...values].filter(([, value]) => value?.startsWith("DIR")).map(([option]) => option);
  const files = [...values].filter(([, value]) => value === "FILE").map(([option]) => option);
  const choices = [...values].filter(([, value]) => value?.includes("|"));
  const known = [...folders, ...files, ...choices.map(([option]) => option)];
  const free = [...values].filter(([option, value]) => value !== null && !known.includes(option)).map((
    [option],
  ) => option);
  return `# Written by deno task docs from the tables in the code: change those, not this file.

_podheitor_mongodb_backend() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD - 1]} words='' folders='' files=''
  if [ "$COMP_CWORD" = 1 ]; then
    words='${first.join(" ")}'
  else
    case "$before" in
      ${folders.join(" | ")}) folders=yes ;;
      ${files.join(" | ")}) files=yes ;;
${choices.map(([option, value]) => `      ${option}) words='${value!.replaceAll("|", " ")}' ;;`).join("\n")}
      ${free.join(" | ")}) ;;
      *)
        case "\${COMP_WORDS[1]}" in
${typed.map((command) => arm(command, parameters)).join("\n")}
        esac
        ;;
    esac
  fi
  COMPREPLY=()
  [ -z "$words" ] || mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
  [ -z "$folders" ] || mapfile -t -O "\${#COMPREPLY[@]}" COMPREPLY < <(compgen -d -- "$word")
  [ -z "$files" ] || mapfile -t -O "\${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$word")
  case "\${COMPREPLY[0]-}" in
    *=) compopt -o nospace 2>/dev/null || : ;;
  esac
}

complete -o filenames -F _podheitor_mongodb_backend ${program}
`;
}

function arm({ name, synopsis, options }: CommandLine, parameters: readonly string[]): string {
  const words = [
    ...options.keys(),
    ...synopsis.includes("resource=NAME") ? ["resource=", ...parameters] : [],
  ];
  const places = [
    ...new RegExp(`^${name} DIR`).test(synopsis) ? ["folders=yes"] : [],
    ...new RegExp(`^${name} FILE`).test(synopsis) ? ["files=yes"] : [],
  ];
  return `          ${name}) ${[`words='${words.join(" ")}'`, ...places].join(" ")} ;;`;
}
