/**
 * A network between client and server: a TCP proxy that delays what goes either way, without narrowing it.
 *
 * @module
 */

const host = "127.0.0.1";

/** Passes connections on to a port of this machine, every byte later by half of the round trip. */
export class DelayProxy implements AsyncDisposable {
  readonly port: number;
  readonly #listener: Deno.TcpListener;
  readonly #connections = new Set<Deno.TcpConn>();

  private constructor(listener: Deno.TcpListener) {
    this.#listener = listener;
    this.port = (listener.addr as Deno.NetAddr).port;
  }

  static start(targetPort: number, roundTripMs: number): DelayProxy {
    const proxy = new DelayProxy(Deno.listen({ hostname: host, port: 0 }));
    void proxy.#accept(targetPort, roundTripMs / 2);
    return proxy;
  }

  async #accept(port: number, delayMs: number): Promise<void> {
    for await (const client of this.#listener) {
      const server = await Deno.connect({ hostname: host, port });
      for (const connection of [client, server]) {
        connection.setNoDelay(true);
        this.#connections.add(connection);
      }
      void this.#pass(client, server, delayMs);
      void this.#pass(server, client, delayMs);
    }
  }

  async #pass(from: Deno.TcpConn, to: Deno.TcpConn, delayMs: number): Promise<void> {
    let last: Promise<unknown> = Promise.resolve();
    try {
      for (;;) {
        const piece = new Uint8Array(256 * 1024);
        const length = await from.read(piece);
        if (length === null) break;
        const due = new Promise((resolve) => setTimeout(resolve, delayMs));
        last = Promise.all([last, due]).then(() => writeAll(to, piece.subarray(0, length)));
        last.catch(() => {});
      }
      await last;
    } catch {
      // One side is gone: so is the other, below.
    }
    for (const connection of [from, to]) {
      if (this.#connections.delete(connection)) connection.close();
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const connection of this.#connections) connection.close();
    this.#connections.clear();
    return Promise.resolve();
  }
}

async function writeAll(to: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await to.write(bytes.subarray(at));
}
