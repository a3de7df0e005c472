/**
 * A network that fails: a TCP proxy on 127.0.0.1 that does something bad when so many bytes have passed.
 *
 * @module
 */

const host = "127.0.0.1";

/** What goes wrong, behind how many bytes of either side over all connections. */
export interface Fault {
  /**
   * `cut` ends all connections, and new ones work; `gone` refuses new ones too; `flip` inverts one bit and goes on; `stall` passes nothing on any more, of no connection;
   * `slow` passes the rest on in small pieces.
   */
  readonly kind: "cut" | "gone" | "flip" | "stall" | "slow";
  readonly afterBytes: number;
}

/** Passes connections on to a port of this machine until its fault strikes. */
export class FaultProxy implements AsyncDisposable {
  readonly port: number;
  readonly #listener: Deno.TcpListener;
  readonly #targetPort: number;
  readonly #connections = new Set<Deno.TcpConn>();
  readonly #ended = Promise.withResolvers<void>();
  #fault: Fault | null = null;
  #struck = false;
  #bytes = 0;

  private constructor(listener: Deno.TcpListener, targetPort: number) {
    this.#listener = listener;
    this.#targetPort = targetPort;
    this.port = (listener.addr as Deno.NetAddr).port;
  }

  static start(targetPort: number): FaultProxy {
    const proxy = new FaultProxy(Deno.listen({ hostname: host, port: 0 }), targetPort);
    void proxy.#accept();
    return proxy;
  }

  /** Counts anew, and prepares a fault; null heals the network. Connections that stall are cut. */
  prepare(fault: Fault | null): void {
    this.#closeAll();
    this.#fault = fault;
    this.#struck = false;
    this.#bytes = 0;
  }

  /** Bytes of both sides since the last fault was prepared. */
  get bytes(): number {
    return this.#bytes;
  }

  get hasStruck(): boolean {
    return this.#struck;
  }

  async #accept(): Promise<void> {
    for await (const client of this.#listener) {
      const server = this.#isGone
        ? null
        : await Deno.connect({ hostname: host, port: this.#targetPort }).catch(() => null);
      if (server === null) {
        client.close();
        continue;
      }
      for (const connection of [client, server]) {
        connection.setNoDelay(true);
        this.#connections.add(connection);
      }
      void this.#pass(client, server, (piece) => this.#receive(piece));
      void this.#pass(server, client, (piece) => this.#receive(piece));
    }
  }

  get #isGone(): boolean {
    return this.#struck && this.#fault?.kind === "gone";
  }

  get #isStalled(): boolean {
    return this.#struck && this.#fault?.kind === "stall";
  }

  /** What of some bytes goes on; null: nothing any more. */
  #receive(piece: Uint8Array): Uint8Array | null {
    const fault = this.#fault;
    const from = this.#bytes;
    this.#bytes += piece.length;
    if (fault === null || this.#bytes <= fault.afterBytes) return piece;
    const isFirst = !this.#struck;
    this.#struck = true;
    const at = fault.afterBytes - from;
    switch (fault.kind) {
      case "flip":
        if (isFirst) piece[at]! ^= 1 << (fault.afterBytes % 8);
        return piece;
      case "slow":
        return piece;
      case "stall":
        return null;
      case "cut":
      case "gone":
        if (isFirst) this.#closeAll();
        return fault.kind === "cut" && !isFirst ? piece : null;
    }
  }

  async #pass(
    from: Deno.TcpConn,
    to: Deno.TcpConn,
    filter: (piece: Uint8Array) => Uint8Array | null,
  ): Promise<void> {
    try {
      const buffer = new Uint8Array(16 * 1024);
      for (let length = await from.read(buffer); length !== null; length = await from.read(buffer)) {
        const piece = filter(buffer.subarray(0, length));
        if (piece === null) {
          if (this.#isStalled) await this.#ended.promise;
          break;
        }
        const step = this.#struck && this.#fault?.kind === "slow" ? 1 : piece.length;
        for (let at = 0; at < piece.length; at += step) await writeAll(to, piece.subarray(at, at + step));
      }
    } catch {
      // One side is gone: so is the other, below.
    }
    for (const connection of [from, to]) this.#close(connection);
  }

  #closeAll(): void {
    for (const connection of [...this.#connections]) this.#close(connection);
  }

  #close(connection: Deno.TcpConn): void {
    if (this.#connections.delete(connection)) connection.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    this.#closeAll();
    this.#ended.resolve();
    return Promise.resolve();
  }
}

async function writeAll(to: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await to.write(bytes.subarray(at));
}
