/** Every bound that more than one room must agree on. Sizes in bytes, times in milliseconds. */

const kib = 1024;
const mib = 1024 * kib;

/** Longest payload of a PTCOMM frame. */
export const framePayloadMaxBytes = mib;

/** Longest text of a PTCOMM Message or Abort: Bacula's own message buffer ends at 2,000. */
export const messageMaxBytes = 1900;

/** Silence after which the backend sends a Heartbeat. */
export const heartbeatIntervalMs = 20_000;

/** Largest part of a manifest in one restore object: Bacula's packet ends at 1,000,000 bytes, names and headers included. */
export const restoreObjectMaxBytes = 900_000;

/** Bytes and documents of one insert command: the server's limits are 48,000,000 and 100,000. */
export const insertMaxBytes = 16 * mib;
export const insertMaxDocuments = 100_000;
