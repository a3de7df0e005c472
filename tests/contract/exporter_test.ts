/** The exporter as a process of its own: what it answers, and whom it outlasts. */

import assert from "node:assert/strict";
import { hashSync } from "bcryptjs";
import { makeCertificates } from "./certificates.ts";
import { run } from "../lab/command.ts";
import { until } from "../lab/condition.ts";
import { Exporter } from "../lab/exporter.ts";
import { withFolder } from "../lab/folder.ts";
import { histories, historyEnd } from "../lab/histories.ts";
import { ensureTools } from "../lab/tools.ts";

Deno.test("exporter: answers and refusals", async (t) => {
  await withFolder(async (folder) => {
    for (const [name, make] of Object.entries(histories)) await make(name, historyEnd).write(folder);
    await using exporter = await Exporter.start(folder);
    const get = async (path: string, init?: RequestInit) => {
      const response = await fetch(exporter.url + path, init);
      return { response, body: await response.text() };
    };

    await t.step("it says where it is, and nothing else while all is well", () => {
      assert.equal(exporter.said.length, 1);
      assert.match(exporter.said[0]!, /^podheitor-mongodb-exporter \d+\.\d+\.\d+ serves \S+ on http:/);
    });

    await t.step("/metrics has the interfaces' names, each with its label", async () => {
      const { response, body } = await get("/metrics");
      assert.equal(response.status, 200);
      assert.equal(response.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
      assert.match(body, /^podheitor_mongodb_exporter_scrapes_total 1$/m);
      assert.match(body, /^podheitor_mongodb_backup_duration_seconds\{resource="oneJob"\} 600$/m);
      assert.match(body, /^podheitor_mongodb_oplog_lag_seconds\{resource="oneJob"\} \d+$/m);
      assert.match(body, /^podheitor_mongodb_last_success_timestamp\{resource="oneJob"\} \d+$/m);
      assert.match((await get("/metrics")).body, /^podheitor_mongodb_exporter_scrapes_total 2$/m);
    });

    await t.step("/metrics is OpenMetrics for who likes it no less", async () => {
      const cases = [
        {
          accept:
            "application/openmetrics-text;version=1.0.0;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1",
          open: true,
        },
        { accept: "application/openmetrics-text", open: true },
        { accept: "application/openmetrics-text;q=0.2, text/plain;q=0.9", open: false },
        { accept: "application/openmetrics-text;q=0", open: false },
        { accept: "text/html,*/*", open: false },
        { accept: "q=;,;;,application/openmetrics-textual", open: false },
      ];
      for (const { accept, open } of cases) {
        const { response, body } = await get("/metrics", { headers: { accept } });
        const type = response.headers.get("content-type")!;
        assert.equal(type.startsWith("application/openmetrics-text; version=1.0.0"), open, accept);
        assert.equal(body.endsWith("# EOF\n"), open, accept);
      }
    });

    await t.step("/healthz, other paths, other methods, HEAD", async () => {
      assert.equal((await get("/healthz")).body, "ok\n");
      for (const path of ["/nothing", "/metrics/", "/..%2f..%2fetc/passwd", "/%ff", "//metrics"]) {
        assert.equal((await get(path)).response.status, 404, path);
      }
      for (const method of ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"]) {
        const { response } = await get("/metrics", { method });
        assert.equal(response.status, 405, method);
        assert.equal(response.headers.get("allow"), "GET, HEAD");
      }
      const { response, body } = await get("/healthz", { method: "HEAD" });
      assert.deepEqual([response.status, body, response.headers.get("content-length")], [200, "", "3"]);
    });

    await t.step("every answer has the headers that keep browsers from doing anything with it", async () => {
      for (const path of ["/metrics", "/healthz", "/nothing"]) {
        const { response: { headers } } = await get(path);
        assert.equal(headers.get("x-content-type-options"), "nosniff");
        assert.match(headers.get("content-security-policy")!, /^default-src 'none';.*frame-ancestors 'none'/);
        assert.equal(headers.get("cache-control"), "no-store");
        assert.equal(headers.get("server"), null);
      }
    });

    await t.step("what is long is compressed for who can take it", async () => {
      const plain = await run("curl", [
        "-s",
        "-o",
        "/dev/null",
        "-w",
        "%{size_download}",
        `${exporter.url}/metrics`,
      ]);
      const args = ["-s", "-H", "accept-encoding: gzip", "-o", "/dev/null", "-w", "%{size_download}"];
      const small = await run("curl", [...args, `${exporter.url}/metrics`]);
      assert.ok(Number(small) < Number(plain) / 4, `${small} of ${plain}`);
    });

    await t.step("it stops on SIGTERM though clients keep their connections", async () => {
      using idle = await connect(exporter);
      await send(idle, "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n");
      await idle.read(new Uint8Array(1000));
      const started = performance.now();
      assert.equal(await exporter.stop(), 0);
      assert.ok(performance.now() - started < 20_000);
      assert.match(exporter.said.at(-1)!, /stops on SIGTERM$/);
    });
  });
});

Deno.test("exporter: thousands of resources, a thousand scrapes, slow and rude clients, and no failure", async (t) => {
  await withFolder(async (folder) => {
    const resources = 2000;
    for (let at = 0; at < resources; at++) await histories.oneJob(`rs${at}`, historyEnd).write(folder);
    await using exporter = await Exporter.start(folder);
    const healthy = async () => assert.equal(await (await fetch(`${exporter.url}/healthz`)).text(), "ok\n");

    await t.step("all resources are there", async () => {
      const body = await (await fetch(`${exporter.url}/metrics`)).text();
      assert.equal(body.match(/^podheitor_mongodb_resource_success\{.*\} 1$/gm)?.length, resources);
    });

    await t.step("clients that send half a request, or don't read, hold up nobody", async () => {
      using rude = new DisposableStack();
      for (let at = 0; at < 40; at++) {
        const socket = rude.use(await connect(exporter));
        await send(
          socket,
          at % 2 === 0 ? "GET /metrics HTTP/1.1\r\nhost: x" : "GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n",
        );
      }
      for (let at = 0; at < 20; at++) await healthy();
    });

    await t.step("what is no HTTP is refused", async () => {
      for (const text of ["\0\0\0\r\n\r\n", "GET\r\n\r\n", `GET /${"a".repeat(1 << 20)} HTTP/1.1\r\n\r\n`]) {
        using socket = await connect(exporter);
        // It may be closed before it has been sent to its end.
        await send(socket, text).catch(() => {});
      }
      await healthy();
    });

    await t.step("a thousand scrapes, fifty at a time, are answered whole", async () => {
      for (const name of Array.from({ length: resources - 20 }, (_, at) => `rs${at + 20}`)) {
        await Deno.remove(`${folder}/podheitor-mongodb-${name}-stats.json`);
        await Deno.remove(`${folder}/podheitor-mongodb-${name}-tip.json`);
      }
      let answered = 0;
      const scrape = async () => {
        for (let at = 0; at < 20; at++) {
          const response = await fetch(`${exporter.url}/metrics`);
          const body = await response.text();
          if (response.status === 200 && body.includes("_exporter_scrapes_total ")) answered++;
        }
      };
      await Promise.all(Array.from({ length: 50 }, scrape));
      assert.equal(answered, 1000);
    });
    assert.deepEqual(exporter.said.length, 1, exporter.said.join("\n"));
  });
});

Deno.test("exporter: a directory that isn't there, and then is", async () => {
  await withFolder(async (folder) => {
    await using exporter = await Exporter.start(`${folder}/later`);
    const scrape = async () => await (await fetch(`${exporter.url}/metrics`)).text();
    assert.match(await scrape(), /^podheitor_mongodb_exporter_scrape_success 0$/m);
    await Deno.mkdir(`${folder}/later`);
    await histories.oneJob("rs0", historyEnd).write(`${folder}/later`);
    await until("the resource to be seen", 10_000, async () => (await scrape()).includes('"rs0"'));
    assert.match(await scrape(), /^podheitor_mongodb_exporter_scrape_success 1$/m);
    assert.equal(exporter.said.length, 3, exporter.said.join("\n"));
  });
});

Deno.test("exporter: TLS and a login by Prometheus' web configuration", async (t) => {
  await ensureTools(["openssl"]);
  await withFolder(async (folder) => {
    const [working, secrets] = [`${folder}/working`, `${folder}/secrets`];
    for (const one of [working, secrets]) await Deno.mkdir(one);
    await histories.oneJob("rs0", historyEnd).write(working);
    await makeCertificates(secrets);
    const web = `${secrets}/web.yml`;
    const users = `basic_auth_users:\n  prom: ${hashSync("right", 4)}\n`;
    const tls = "tls_server_config:\n  cert_file: server.crt\n  key_file: 'server.key' # beside it\n";
    await Deno.writeTextFile(web, tls + users);
    await using exporter = await Exporter.start(working, { more: ["--web.config.file", web] });
    using client = Deno.createHttpClient({ caCerts: [await Deno.readTextFile(`${secrets}/ca.pem`)] });
    const get = (login?: string) => {
      const headers: Record<string, string> = login === undefined
        ? {}
        : { authorization: `Basic ${btoa(login)}` };
      return fetch(`${exporter.url}/metrics`, { client, headers });
    };

    await t.step("who doesn't log in, or wrongly, gets nothing", async () => {
      assert.match(exporter.url, /^https:/);
      for (const login of [undefined, "prom:wrong", "other:right"]) {
        const response = await get(login);
        assert.equal(response.status, 401);
        assert.match(response.headers.get("www-authenticate")!, /^Basic realm=/);
        assert.doesNotMatch(await response.text(), /rs0/);
      }
    });

    await t.step("who logs in gets the metrics", async () => {
      assert.match(await (await get("prom:right")).text(), /resource="rs0"/);
    });

    await t.step("plain HTTP is no way in", async () => {
      await assert.rejects(fetch(exporter.url.replace("https", "http")).then((response) => response.text()));
    });

    await t.step("a login without TLS is possible, and the log warns of it", async () => {
      await Deno.writeTextFile(web, users);
      await using plain = await Exporter.start(working, { more: [`--web.config.file=${web}`] });
      assert.equal((await fetch(`${plain.url}/metrics`)).status, 401);
      await until(
        "the warning",
        5000,
        () => plain.said.some((line) => /^Passwords come without TLS/.test(line)),
      );
    });

    await t.step("what can't be done is refused with the file's name", async () => {
      const cases = [
        { text: `${tls}  client_ca_file: ca.pem\n`, want: /client_ca_file can't be done by this exporter/ },
        {
          text: "basic_auth_users: {prom: right}\n",
          want: /basic_auth_users\.prom: it is no hash of bcrypt/,
        },
        {
          text: "tls_server_config: {cert_file: server.crt, key_file: server.key}",
          want: /server\.crt may not be read/,
        },
        { text: tls.replace("server.key", "none.key"), want: /none\.key can't be read/ },
        { text: tls.replace("server.key", "server.crt"), want: /127\.0\.0\.1:0 can't be opened/, status: 1 },
        { text: tls.replace("server.key", "client.key"), want: /127\.0\.0\.1:0 can't be opened/, status: 1 },
      ];
      for (const { text, want, status = 2 } of cases) {
        await Deno.writeTextFile(web, text);
        await using refused = await Exporter.spawn([
          "--listen=127.0.0.1:0",
          `--working-dir=${working}`,
          `--web.config.file=${web}`,
        ]);
        assert.equal(await refused.ended(), status, text);
        await until("its last words", 5000, () => want.test(refused.said.join("\n")));
        assert.doesNotMatch(refused.said.join("\n"), /right|Stack|\bat /);
      }
    });
  });
});

const misuses = [
  { args: ["--listen=nowhere"], want: /^MONGO-110 Cannot run: --listen is "nowhere", wanted HOST:PORT/ },
  { args: ["--listen=127.0.0.1:70000"], want: /^MONGO-110 Cannot run: --listen is "127\.0\.0\.1:70000"/ },
  { args: ["--port=1"], want: /^MONGO-110 Cannot run: Unknown option '--port'/ },
  { args: ["metrics"], want: /^MONGO-110 Cannot run: Unexpected argument 'metrics'/ },
  { args: ["--working-dir="], want: /^MONGO-110 Cannot run: .*--working-dir is empty/ },
  {
    args: ["--web.config.file=/nowhere/web.yml"],
    want: /^MONGO-110 Cannot run: \/nowhere\/web\.yml can't be read: /,
  },
];

for (const { args, want } of misuses) {
  Deno.test(`exporter: ${args} ends with a sentence and 2`, async () => {
    await using exporter = await Exporter.spawn(args);
    assert.equal(await exporter.ended(), 2);
    await until("its last words", 5000, () => want.test(exporter.said.join("\n")));
  });
}

async function connect({ url }: Exporter): Promise<Deno.TcpConn> {
  return await Deno.connect({ hostname: "127.0.0.1", port: Number(new URL(url).port) });
}

async function send(socket: Deno.TcpConn, text: string): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length;) at += await socket.write(bytes.subarray(at));
}
