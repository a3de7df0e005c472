/**
 * A real Prometheus for a test.
 *
 * @module
 */

import { until } from "../lab/condition.ts";
import { Daemon, freePort, ScratchFolder } from "../lab/daemon.ts";

/** A series at one instant. */
export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  /** Unix seconds, and the value as text. */
  readonly value: readonly [number, string];
}

/** An alert that is pending or firing. */
export interface Alert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly state: "pending" | "firing";
}

/** What Prometheus knows of a target. */
export interface ScrapedTarget {
  readonly health: "up" | "down" | "unknown";
  readonly lastError: string;
}

/** A Prometheus with its own storage. */
export class PrometheusServer implements AsyncDisposable {
  readonly #resources: AsyncDisposableStack;
  readonly #url: string;

  private constructor(port: number, resources: AsyncDisposableStack) {
    this.#url = `http://127.0.0.1:${port}/api/v1`;
    this.#resources = resources;
  }

  /** Starts one with a configuration file, and waits until it answers. */
  static async start(configuration: string): Promise<PrometheusServer> {
    await using resources = new AsyncDisposableStack();
    const scratch = resources.use(await ScratchFolder.make("prometheus"));
    const port = freePort();
    const daemon = Daemon.start({
      program: "prometheus",
      args: [
        `--config.file=${configuration}`,
        `--storage.tsdb.path=${scratch.path}/data`,
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      logPath: `${scratch.path}/log`,
      port,
    });
    resources.defer(() => daemon.stop(0));
    await daemon.listening(60_000);
    const server = new PrometheusServer(port, resources.move());
    await until("Prometheus to be ready", 60_000, () => server.query("vector(1)").catch(() => null));
    return server;
  }

  /** The instant vector of a query, now. */
  async query(query: string): Promise<readonly Sample[]> {
    const { result } = await this.#ask<{ result: Sample[] }>("query", { query });
    return result;
  }

  async alerts(): Promise<readonly Alert[]> {
    return (await this.#ask<{ alerts: Alert[] }>("alerts", {})).alerts;
  }

  /** When each group of rules was last evaluated, RFC 3339. */
  async evaluations(): Promise<readonly string[]> {
    const { groups } = await this.#ask<{ groups: { lastEvaluation: string }[] }>("rules", {});
    return groups.map(({ lastEvaluation }) => lastEvaluation);
  }

  async targets(): Promise<readonly ScrapedTarget[]> {
    return (await this.#ask<{ activeTargets: ScrapedTarget[] }>("targets", {})).activeTargets;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync();
  }

  async #ask<T>(path: string, parameters: Record<string, string>): Promise<T> {
    const response = await fetch(`${this.#url}/${path}?${new URLSearchParams(parameters)}`);
    const { data, error } = await response.json() as { data: T; error?: string };
    if (error !== undefined) throw new Error(`Prometheus says of ${JSON.stringify(parameters)}: ${error}`);
    return data;
  }
}
