/**
 * The exporter's port.
 *
 * @module
 */

/** Where to listen, and with which certificate. */
export interface Listening {
  readonly hostname: string;
  readonly port: number;
  /** Certificate and private key as PEM; null for plain HTTP. */
  readonly tls: { readonly cert: string; readonly key: string } | null;
}

/** An open port. */
export interface OpenServer {
  /** With the port that the system chose where 0 was asked for. */
  readonly address: string;
  /** Ends when all requests that are being answered have been, or after `patienceMs`. */
  stop(patienceMs: number): Promise<void>;
}

/**
 * Opens the port.
 *
 * @param answer never throws
 * @throws Error that says why the port can't be opened
 */
export function serve(
  { hostname, port, tls }: Listening,
  answer: (request: Request) => Promise<Response>,
): OpenServer {
  const abort = new AbortController();
  const options = { hostname, port, signal: abort.signal, automaticCompression: true, onListen: () => {} };
  const server = open(options, tls, answer);
  return {
    address: formatAddress(hostname, server.addr.port),
    async stop(patienceMs) {
      const timer = setTimeout(() => abort.abort(), patienceMs);
      await server.shutdown();
      clearTimeout(timer);
    },
  };
}

function open(
  options: Deno.ServeTcpOptions,
  tls: Listening["tls"],
  answer: (request: Request) => Promise<Response>,
): Deno.HttpServer<Deno.NetAddr> {
  try {
    return tls === null ? Deno.serve(options, answer) : Deno.serve({ ...options, ...tls }, answer);
  } catch (cause) {
    const address = formatAddress(options.hostname ?? "", options.port ?? 0);
    throw new Error(`${address} can't be opened: ${cause instanceof Error ? cause.message : cause}`);
  }
}

function formatAddress(hostname: string, port: number): string {
  return `${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
}
