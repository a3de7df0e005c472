/** Name and version of this program, as they stand in manifests and say Hello. */
export const program = { name: "podheitor-mongodb-backend", version: "0.1.0" } as const;
