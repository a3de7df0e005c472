/**
 * For scripts: manifests and plugin commands, without a server or Bacula.
 *
 * ```ts ignore
 * const options = parsePluginCommand("podheitor-mongodb: uri=mongodb://db1,db2/?replicaSet=rs0 database=app,shop");
 * console.log(options.database, options.parallel_dbs);
 * ```
 *
 * @module
 */

export { auditObjects, type Finding, type ObjectReader } from "./backend/manifest/audit.ts";
export {
  type OpenedManifest,
  openManifest as readManifest,
  type TrustPolicy,
} from "./backend/manifest/reader.ts";
export { type Manifest, type ManifestObject, manifestObjects } from "./backend/manifest/schema.ts";
export { loadTrustedKeys, type TrustedKey } from "./backend/manifest/trusted_keys.ts";
export { parsePluginCommand } from "./backend/options/command.ts";
export type { Options } from "./backend/options/table.ts";
