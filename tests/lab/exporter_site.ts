/**
 * The exporter within this process, at a time of its own, over folders that tests fill.
 *
 * @module
 */

import { Metrics } from "../../exporter/metrics.ts";
import { respond } from "../../exporter/routes.ts";
import { serve } from "../../exporter/server.ts";
import { WorkingDirectory } from "../../exporter/sidecar/working_directory.ts";
import { type History, historyEnd } from "./histories.ts";

/** A port of 127.0.0.1 that serves what a working directory holds, as of {@linkcode historyEnd}. */
export class ExporterSite implements AsyncDisposable {
  readonly url: string;
  readonly #stop: () => Promise<void>;

  private constructor(url: string, stop: () => Promise<void>) {
    this.url = url;
    this.#stop = stop;
  }

  /** Serves a folder, also one that isn't there. */
  static serve(folder: string): ExporterSite {
    const context = {
      sidecars: new WorkingDirectory(folder, Deno.uid(), () => {}),
      metrics: new Metrics({ version: "0.1.0", denoVersion: "2.9.6", startedAt: historyEnd }),
      now: () => historyEnd,
    };
    const listening = { hostname: "127.0.0.1", port: 0, tls: null };
    const server = serve(listening, (request) => respond(request, context));
    return new ExporterSite(`http://${server.address}`, () => server.stop(1000));
  }

  /** Serves a new folder below another one, with these histories in it. */
  static async of(folder: string, histories: readonly History[]): Promise<ExporterSite> {
    const own = await Deno.makeTempDir({ dir: folder });
    for (const history of histories) await history.write(own);
    return ExporterSite.serve(own);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stop();
  }
}
