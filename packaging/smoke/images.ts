/** Where packages are tried. */

/** A system to try a package on. */
export interface Image {
  readonly format: "deb" | "rpm";
  /** How it comes here: made of Debian's own packages, or pulled by its name. */
  readonly from:
    | { readonly suite: string; readonly include?: readonly string[]; readonly rolling?: true }
    | { readonly pull: string };
  /** Whether the operator's guide is followed there, on the system's own Bacula, in place of the other steps. */
  readonly hasBacula?: true;
}

/**
 * All of them, by name. Those that are pulled are what operators run; where no images can be had, Debian's suites are made from the machine's own
 * archive. Debian 11's rpm is that of Enterprise Linux 9, and its libc is older.
 */
export const images = {
  "debian-12-made": { format: "deb", from: { suite: "bookworm" } },
  "debian-11-made": { format: "deb", from: { suite: "bullseye" } },
  "debian-13-made": { format: "deb", from: { suite: "trixie" } },
  "testing-made": { format: "deb", from: { suite: "forky", rolling: true } },
  "sid-made": { format: "deb", from: { suite: "sid", rolling: true } },
  "rpm-on-debian-11-made": { format: "rpm", from: { suite: "bullseye", include: ["rpm"] } },
  // Debian 12 has Bacula 9.6. The library is mongod's.
  "bacula-on-debian-13-made": {
    format: "deb",
    from: {
      suite: "trixie",
      include: [
        ...["bacula-director", "bacula-director-sqlite3", "bacula-sd", "bacula-fd", "bacula-console"],
        "libcurl4t64",
      ],
    },
    hasBacula: true,
  },
  "debian-12": { format: "deb", from: { pull: "debian:12" } },
  "debian-13": { format: "deb", from: { pull: "debian:13" } },
  "ubuntu-22.04": { format: "deb", from: { pull: "ubuntu:22.04" } },
  "rocky-9": { format: "rpm", from: { pull: "rockylinux:9" } },
  "alma-9": { format: "rpm", from: { pull: "almalinux:9" } },
} as const satisfies Record<string, Image>;

/** Name of one. */
export type ImageName = keyof typeof images;
