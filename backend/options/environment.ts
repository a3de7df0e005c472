/** Every variable of the File Daemon's environment that the product looks at. */
export const environmentTable = {
  PODHEITOR_MONGODB_BACKEND:
    "Absolute path of the backend's executable, in place of /opt/bacula/bin/podheitor-mongodb-backend.",
  PODHEITOR_MONGODB_URI: "Connection string of jobs whose plugin command has neither uri nor uri_file.",
  PODHEITOR_MONGODB_PASSWORD:
    "Password of the user in a connection string that has none, where password_file isn't given.",
  CREDENTIALS_DIRECTORY:
    "Set by systemd, for LoadCredential= and the like: its podheitor-mongodb-uri and podheitor-mongodb-password are used as the two above, where those are not set.",
  PODHEITOR_MONGODB_SIGNING_KEY:
    "Ed25519 private key that signs manifests: the absolute path of a file of mode 0600, as keygen makes it, with a PEM (PKCS #8) or the base64 of the 32-byte seed; or either of them itself.",
  PODHEITOR_MONGODB_TRUSTED_KEYS:
    "Absolute paths, separated by colons, of lists of public keys that restores accept: PEM, or lines of base64 with not-before=, not-after= or revoked behind it. Default: the signing key's own public half.",
  PODHEITOR_MONGODB_ALLOW_UNSIGNED: '"yes" lets restores take unsigned manifests.',
  PODHEITOR_MONGODB_MONGOD:
    "Absolute path of the mongod that a rehearsal starts. The command `rehearse` takes what MONGOD_BIN names, else the mongod on PATH, where it is not set; a restore with mode=rehearse needs it.",
  PODHEITOR_MONGODB_SILENCE_SECONDS:
    "Seconds of a backend's silence after which its job fails; 120 by default.",
  PODHEITOR_MONGODB_USER:
    "User that jobs run as where the File Daemon is root's, without any capability; bacula by default, where this machine has that user. root keeps root. prepare-restore, run by root, is the working directory's owner's where it isn't set.",
  PODHEITOR_MONGODB_TOOLS:
    "Absolute path of the folder with mongodump and mongorestore, for engine=mongodump. Where it is set, a backup may run the one and a restore the other; else neither can run any.",
} as const satisfies Record<`PODHEITOR_MONGODB_${string}` | "CREDENTIALS_DIRECTORY", string>;

/** Name of a variable of the table. */
export type EnvironmentName = keyof typeof environmentTable;
