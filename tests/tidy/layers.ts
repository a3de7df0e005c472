/**
 * Who may import whom, and who may touch the world outside.
 *
 * @module
 */

import {
  codeOf,
  importsOf,
  isScriptPath,
  isTestPath,
  isTypeScript,
  locate,
  type ProjectFile,
  resolvePath,
} from "./project.ts";

/** The layers from the bottom up. A file belongs to the first one whose pattern fits its path. */
const layers = [
  { name: "entry", level: 4, paths: /^(backend\/main\.ts|backend\/commands\/|exporter\/main\.ts|mod\.ts$)/ },
  { name: "foundation", level: 0, paths: /^backend\/[a-z_]+\.ts$/ },
  { name: "core", level: 3, paths: /^backend\/(job\/|protocol\/\w+_session\.ts$)/ },
  {
    name: "edge",
    level: 2,
    paths:
      /^(backend\/(mongo\/|volume\/|folder\/|state\/(store|tip_store|atomic_file|restore_parameter_file)\.ts$|protocol\/channel\.ts$)|exporter\/(sidecar\/(working_directory|sidecar_file)|server|web_files)\.ts$)/,
  },
  {
    name: "pure",
    level: 1,
    paths:
      /^(backend\/(bson|manifest|oplog|options|protocol|state)\/|wasm\/|exporter\/(sidecar\/|(assessment|chain|metric_row|metric_table|survey|web_config)\.ts$))/,
  },
  { name: "core", level: 3, paths: /^exporter\// },
] as const;

type Layer = (typeof layers)[number];

/** Packages of the product and the paths that may import them; tests may import all that `deno.json` pins. */
const packages = new Map([
  ["mongodb", /^backend\/mongo\//],
  ["bson", /^backend\/(bson|mongo)\//],
  ["zod", /^(backend\/(manifest|options|state)\/|exporter\/)/],
  ["prom-client", /^exporter\//],
  ["bcryptjs", /^exporter\//],
  ["yaml", /^exporter\//],
]);

/** What of the backend the exporter may see. */
const exporterMaySee = /^backend\/([a-z_]+\.ts$|manifest\/|state\/(job_record|tip)\.ts$)/;

function layerOf(path: string): Layer | undefined {
  return layers.find(({ paths }) => paths.test(path));
}

function productFiles(files: readonly ProjectFile[]): ProjectFile[] {
  return files.filter((file) => isTypeScript(file) && !isTestPath(file.path) && !isScriptPath(file.path));
}

/** Every file of the product has its place in the table of layers. */
export function findHomeless(files: readonly ProjectFile[]): string[] {
  return productFiles(files).filter(({ path }) => layerOf(path) === undefined)
    .map(({ path }) => `${path} belongs to no layer`);
}

/** Imports go down the layers, the core knows edges by `ports.ts` only, rooms of the outside don't know each other. */
export function findUpwardImports(files: readonly ProjectFile[]): string[] {
  return productFiles(files).flatMap((file) => {
    const from = layerOf(file.path);
    return localImports(file).flatMap((target) => {
      const fault = from === undefined ? undefined : faultOf(file.path, from, target, layerOf(target));
      return fault === undefined ? [] : [`${file.path} imports ${target}: ${fault}`];
    });
  });
}

function faultOf(path: string, from: Layer, target: string, to: Layer | undefined): string | undefined {
  if (isTestPath(target) || isScriptPath(target)) return "the product doesn't need tests and build programs";
  if (to === undefined) return "that belongs to no layer";
  if (path.startsWith("exporter/") && target.startsWith("backend/") && !exporterMaySee.test(target)) {
    return "the exporter sees job records, tips, manifests and the foundation only";
  }
  if (path.startsWith("backend/") && target.startsWith("exporter/")) {
    return "the backend doesn't know the exporter";
  }
  if (to.level > from.level) return `${from.name} is below ${to.name}`;
  if (to.name !== "edge" || folderOf(path) === folderOf(target)) return undefined;
  if (from.name === "core") return "the core knows the outside by ports.ts only";
  return from.name === "edge" ? "one edge doesn't know another" : undefined;
}

/** Packages stay in their rooms; what reaches the outside stays in edges and entries. */
export function findForeignImports(files: readonly ProjectFile[]): string[] {
  return productFiles(files).flatMap((file) =>
    importsOf(file).filter((name) => !name.startsWith(".")).flatMap((name) => {
      const allowed = name.startsWith("node:")
        ? mayTouchOutside(file.path)
        : packages.get(name.split("/", 1)[0]!)?.test(file.path) ?? false;
      return allowed ? [] : [`${file.path} imports ${name}, which its room may not`];
    })
  );
}

/** `Deno.*` is for edges and entries; arguments, environment and exit are for entries. */
export function findOutsideAccess(files: readonly ProjectFile[]): string[] {
  return productFiles(files).flatMap(({ path, text }) => {
    const code = codeOf(text);
    if (!mayTouchOutside(path)) {
      return locate(path, code, /\bDeno\./g).map((at) => `${at} uses Deno outside edges and entries`);
    }
    if (layerOf(path)?.name === "entry") return [];
    return locate(path, code, /\bDeno\.(args|env|exit)\b/g).map((at) => `${at} belongs into an entry`);
  });
}

/** Standard output is the protocol: only entries print. */
export function findPrinting(files: readonly ProjectFile[]): string[] {
  return productFiles(files).filter(({ path }) => layerOf(path)?.name !== "entry")
    .flatMap(({ path, text }) => locate(path, codeOf(text), /\bconsole\./g).map((at) => `${at} prints`));
}

/** No file imports itself by way of others. */
export function findCycles(files: readonly ProjectFile[]): string[] {
  const graph = new Map(files.filter(isTypeScript).map((file) => [file.path, localImports(file)]));
  const done = new Set<string>();
  const cycles: string[] = [];
  function visit(path: string, trail: readonly string[]): void {
    const at = trail.indexOf(path);
    if (at >= 0) cycles.push(`${[...trail.slice(at), path].join(" → ")} is a circle`);
    if (at >= 0 || done.has(path)) return;
    for (const target of graph.get(path) ?? []) visit(target, [...trail, path]);
    done.add(path);
  }
  for (const path of graph.keys()) visit(path, []);
  return cycles;
}

/** Folders with programs in C; none knows another's. */
const roomsOfC = ["cshim/", "packaging/launcher/"];

/** The shim shares no code with anything: its includes are its own or the system's. */
export function findSharedC(files: readonly ProjectFile[]): string[] {
  return files.flatMap(({ path, text }) => {
    if (/\.[ch]$/.test(path)) {
      const room = roomsOfC.find((room) => path.startsWith(room));
      if (room === undefined) return [`${path} is C outside ${roomsOfC.join(" and ")}`];
      return [...text.matchAll(/^\s*#\s*include\s+"([^"]+)"/gm)].map(([, name]) => resolvePath(path, name!))
        .filter((target) => !target.startsWith(room)).map((target) => `${path} includes ${target}`);
    }
    const imports = isTypeScript({ path, text }) ? localImports({ path, text }) : [];
    return imports.filter((target) => target.startsWith("cshim/")).map((target) =>
      `${path} imports ${target}`
    );
  });
}

function mayTouchOutside(path: string): boolean {
  const name = layerOf(path)?.name;
  return name === "edge" || name === "entry";
}

function localImports(file: ProjectFile): string[] {
  return importsOf(file).filter((name) => name.startsWith(".")).map((name) => resolvePath(file.path, name));
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}
