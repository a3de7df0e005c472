/** Every variable of the File Daemon's environment that the product looks at. */
export const environmentTable = {
  PODHEITOR_MONGODB_BACKEND:
    "Absolute path of the backend's executable, in place of /opt/bacula/bin/podheitor-mongodb-backend.",
  PODHEITOR_MONGODB_SIGNING_KEY:
    "Ed25519 private key that signs manifests: PEM (PKCS #8), the base64 of its 32-byte seed, or the absolute path of a file with either, mode 0600.",
  PODHEITOR_MONGODB_TRUSTED_KEYS:
    "Absolute paths, separated by colons, of files with public keys (PEM, or base64 of 32 bytes a line) that restores accept. Default: the signing key's own public half.",
  PODHEITOR_MONGODB_ALLOW_UNSIGNED: '"yes" lets restores take unsigned manifests.',
  PODHEITOR_MONGODB_MONGOD:
    "Absolute path of the mongod that a rehearsal starts. The command `rehearse` takes what MONGOD_BIN names, else the mongod on PATH, where it is not set; a restore with mode=rehearse needs it.",
  PODHEITOR_MONGODB_SILENCE_SECONDS:
    "Seconds of a backend's silence after which its job fails; 120 by default.",
  PODHEITOR_MONGODB_TOOLS:
    "Absolute path of the folder with mongodump and mongorestore, for engine=mongodump. Where it is set, the backend may run these two programs; else it can run none.",
} as const satisfies Record<`PODHEITOR_MONGODB_${string}`, string>;

/** Name of a variable of the table. */
export type EnvironmentName = keyof typeof environmentTable;
