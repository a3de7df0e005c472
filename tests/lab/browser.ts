/**
 * A Chromium without a window, spoken to in the DevTools protocol.
 *
 * @module
 */

import { until } from "./condition.ts";
import { ScratchFolder } from "./daemon.ts";
import { ensureTools } from "./tools.ts";

/** How a page is looked at. */
export interface Look {
  readonly width: number;
  readonly scheme: "light" | "dark";
}

/** A page as it is shown. */
export interface Shown {
  /** What an expression of JavaScript is there; the page's own policy doesn't bind it. */
  evaluate(expression: string): Promise<unknown>;
  /** A PNG of the whole page, or of a stripe of it, in the page's pixels from its top, and made smaller by the scale. */
  screenshot(
    stripe?: { readonly y: number; readonly height: number; readonly scale: number },
  ): Promise<Uint8Array<ArrayBuffer>>;
  /** What the browser complained of since the page was opened: its console, its policy, files that aren't there. */
  readonly complaints: readonly string[];
}

type Message = Readonly<Record<string, unknown>>;

interface Reply {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Message;
  readonly result?: Message;
  readonly error?: { readonly message: string };
}

const patienceMs = 60_000;

/** A browser with one tab. */
export class Browser implements AsyncDisposable {
  readonly #socket: WebSocket;
  readonly #resources: AsyncDisposableStack;
  readonly #waiting = new Map<number, PromiseWithResolvers<Message>>();
  #lastId = 0;
  #complaints: string[] = [];
  #isLoaded = false;

  private constructor(socket: WebSocket, resources: AsyncDisposableStack) {
    this.#socket = socket;
    this.#resources = resources;
    socket.onmessage = ({ data }) => this.#take(JSON.parse(data));
  }

  /** Starts it; it is installed where it is missing and this process is root. */
  static async start(): Promise<Browser> {
    await ensureTools(["chromium"]);
    await using resources = new AsyncDisposableStack();
    const profile = resources.use(await ScratchFolder.make("browser")).path;
    const child = new Deno.Command("chromium", {
      args: [
        "--headless",
        // Root has no sandbox, and what is opened is the tests' own.
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--hide-scrollbars",
        "--remote-debugging-port=0",
        `--user-data-dir=${profile}`,
        "about:blank",
      ],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    resources.defer(async () => {
      try {
        child.kill("SIGKILL");
      } catch (cause) {
        if (!(cause instanceof TypeError)) throw cause;
      }
      await child.status;
    });
    const port = await until("Chromium to listen", patienceMs, async () => {
      const text = await Deno.readTextFile(`${profile}/DevToolsActivePort`).catch(() => "");
      return /^(\d+)\n/.exec(text)?.[1];
    });
    const tabs = await until("Chromium's tab", patienceMs, async () => {
      const tabs = await (await fetch(`http://127.0.0.1:${port}/json/list`)).json() as Message[];
      return tabs.find(({ type }) => type === "page");
    });
    const socket = new WebSocket(String(tabs["webSocketDebuggerUrl"]));
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = reject;
    });
    resources.defer(() => closed(socket));
    const browser = new Browser(socket, resources.move());
    for (const domain of ["Page", "Log", "Runtime", "Audits"]) await browser.#ask(`${domain}.enable`);
    await browser.#ask("Emulation.setFocusEmulationEnabled", { enabled: true });
    return browser;
  }

  /** Opens a page and waits until it is there with all that it loads. */
  async open(url: string, { width, scheme }: Look): Promise<Shown> {
    await this.#ask("Emulation.setDeviceMetricsOverride", {
      width,
      height: 900,
      deviceScaleFactor: 1,
      mobile: width < 500,
    });
    await this.#ask("Emulation.setEmulatedMedia", {
      features: [{ name: "prefers-color-scheme", value: scheme }],
    });
    const complaints: string[] = this.#complaints = [];
    this.#isLoaded = false;
    const { errorText } = await this.#ask("Page.navigate", { url });
    if (errorText !== undefined) throw new Error(`Chromium can't open ${url}: ${errorText}`);
    await until(`${url} to be loaded`, patienceMs, () => this.#isLoaded);
    return {
      complaints,
      evaluate: async (expression) => {
        const { result, exceptionDetails } = await this.#ask("Runtime.evaluate", {
          expression,
          returnByValue: true,
        });
        if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails));
        return (result as Message)["value"];
      },
      screenshot: async (stripe) => {
        const { data } = await this.#ask("Page.captureScreenshot", {
          captureBeyondViewport: true,
          ...stripe === undefined ? {} : { clip: { x: 0, width, ...stripe } },
        });
        return Uint8Array.fromBase64(String(data));
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync();
  }

  async #ask(method: string, params: Message = {}): Promise<Message> {
    const id = ++this.#lastId;
    const reply = Promise.withResolvers<Message>();
    this.#waiting.set(id, reply);
    this.#socket.send(JSON.stringify({ id, method, params }));
    return await reply.promise;
  }

  #take({ id, method, params, result, error }: Reply): void {
    if (id !== undefined) {
      const reply = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error === undefined) reply?.resolve(result ?? {});
      else reply?.reject(new Error(`Chromium: ${error.message}`));
    } else if (method === "Page.loadEventFired") {
      this.#isLoaded = true;
    } else if (
      method === "Log.entryAdded" || method === "Audits.issueAdded" || method === "Runtime.consoleAPICalled"
    ) {
      this.#complaints.push(JSON.stringify(params));
    }
  }
}

async function closed(socket: WebSocket): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  socket.onclose = () => resolve();
  socket.close();
  await promise;
}
