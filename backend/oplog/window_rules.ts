/**
 * Which changes of the catalog may happen while a Full reads.
 *
 * @module
 */

import { PluginError } from "../errors.ts";
import { formatNamespace } from "../namespace.ts";
import type { OplogCommand } from "./command.ts";

/**
 * A Full's collections are each read at another time, and its slice is replayed over all of them from the start. Whatever makes a collection anew
 * brings all of its documents along in the slice; a rename brings nothing: it moves what was read before, or was not read yet.
 */
export class WindowRules {
  readonly #made = new Set<string>();

  /**
   * @throws PluginError `oplogUnreplayable` for a rename of a collection that is older than the slice
   */
  follow(command: OplogCommand): void {
    if (command.kind === "create") this.#made.add(formatNamespace(command.namespace));
    else if (command.kind === "drop") this.#made.delete(formatNamespace(command.namespace));
    else if (command.kind === "rename") {
      const [from, to] = [formatNamespace(command.from), formatNamespace(command.to)];
      if (!this.#made.delete(from)) {
        throw new PluginError(
          "oplogUnreplayable",
          `Cannot vouch for ${from}: it was renamed to ${to} while the Full was running`,
          {
            hint:
              "Run the job again at a time without renames; $out and mapReduce, which rename what they have just made, are no trouble.",
          },
        );
      }
      this.#made.add(to);
    }
  }
}
