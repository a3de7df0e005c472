/**
 * Where the exporter listens, as it is said on the command line.
 *
 * @module
 */

/** An address of this machine. */
export interface Listen {
  readonly hostname: string;
  /** 0 for one that the system chooses. */
  readonly port: number;
}

const form = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9.-]*)):(\d{1,5})$/;

/**
 * Reads `HOST:PORT`, `[IPv6]:PORT` or `:PORT`, which is all addresses of IPv4. The launcher reads the same.
 *
 * @throws Error that says what is wrong
 */
export function parseListen(text: string): Listen {
  const [, ipv6, host, digits] = form.exec(text) ?? [];
  const port = Number(digits);
  if (digits === undefined || port > 65_535) {
    throw new Error(
      `--listen is ${JSON.stringify(text)}, wanted HOST:PORT, as in 127.0.0.1:9105, [::1]:9105 or :9105`,
    );
  }
  return { hostname: ipv6 ?? (host === "" ? "0.0.0.0" : host!), port };
}
