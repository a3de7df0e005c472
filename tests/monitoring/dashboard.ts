/**
 * Grafana's dashboard as tests read it.
 *
 * @module
 */

/** What Grafana asks Prometheus for. */
export interface Target {
  readonly expr: string;
  readonly legendFormat: string;
}

/** A panel; one of type `row` has no queries. */
export interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly datasource?: { readonly uid: string };
  readonly gridPos: Readonly<Record<"x" | "y" | "w" | "h", number>>;
  readonly targets?: readonly Target[];
}

/** The dashboard. */
export interface Dashboard {
  readonly schemaVersion: number;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition?: string }[] };
}

/** Reads the dashboard that is shipped. */
export async function readDashboard(): Promise<Dashboard> {
  const path = new URL("../../packaging/grafana/podheitor-mongodb.json", import.meta.url);
  return JSON.parse(await Deno.readTextFile(path));
}

/** A query as Grafana sends it, with all resources chosen. */
export function interpolate(expr: string): string {
  return expr.replaceAll("$resource", ".+");
}
