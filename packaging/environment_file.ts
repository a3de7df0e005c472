/** The File Daemon's environment as packages install it: every variable, none of them set. */

import { environmentTable } from "../backend/options/environment.ts";

/** The text of `/etc/podheitor/podheitor-mongodb.env`. */
export function environmentFile(): string {
  const variables = Object.entries(environmentTable).filter(([name]) => name !== "CREDENTIALS_DIRECTORY");
  return [
    "# Variables of the File Daemon's environment for PodHeitor MongoDB.",
    "# systemd gives them to the File Daemon once its unit has a drop-in that names this file; it is among the examples of the documentation.",
    "# It may hold secrets: leave it to root, with mode 0600.",
    ...variables.map(([name, meaning]) => `\n# ${meaning}\n#${name}=`),
  ].join("\n") + "\n";
}
