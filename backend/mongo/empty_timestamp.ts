/** From which releases on a server can be told to leave an empty timestamp at a document's top level alone, by series; and all later series. */
const since = new Map([[5, 29], [6, 17], [7, 13]]);
const everySeriesSince = 8;

/** Whether a server of a version takes `bypassEmptyTsReplacement` in an insert: `6.0.17`, `8.0.0`. Rapid releases between two series don't. */
export function keepsEmptyTimestamps(version: string): boolean {
  const [major = 0, minor = 0, patch = 0] = version.split(/[.-]/).map(Number);
  if (major >= everySeriesSince) return true;
  const first = since.get(major);
  return first !== undefined && minor === 0 && patch >= first;
}
