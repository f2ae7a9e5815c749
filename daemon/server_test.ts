import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { LlamaError } from "../job/errors.ts";
import { askCompile, askControl } from "./client.ts";
import { encodeFrame } from "./frame.ts";
import { type Answer, type CompileCall, encodeCompile } from "./protocol.ts";
import { type DaemonServer, type DaemonServerOptions, serveDaemon } from "./server.ts";

const call: CompileCall = {
  umask: 0o22,
  stderrIsTerminal: false,
  stdoutIsTerminal: false,
  stdinColumns: 0,
  argv: ["llamacc", "-c", "a.c"],
  cwd: "/",
  environment: ["A=1"],
};

interface Running {
  readonly socketPath: string;
  readonly server: DaemonServer;
  readonly events: string[];
  connect(): Promise<Deno.UnixConn>;
}

async function withServer(
  options: Partial<DaemonServerOptions>,
  test: (running: Running) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  const socketPath = `${folder}/private/daemon.sock`;
  const events: string[] = [];
  const server = serveDaemon({
    socketPath,
    onCompile: (_request, connection) => connection.exit(0),
    onControl: (json) => Promise.resolve(json),
    log: (event) => events.push(event),
    ...options,
  });
  try {
    await test({
      socketPath,
      server,
      events,
      connect: () => Deno.connect({ transport: "unix", path: socketPath }),
    });
  } finally {
    server.shutdown("test");
    await server.finished;
    await Deno.remove(folder, { recursive: true });
  }
}

async function ask({ connect }: Running, request = call): Promise<Answer[]> {
  using connection = await connect();
  return await Array.fromAsync(askCompile(connection, request));
}

Deno.test("serveDaemon() passes the request on and the answers back in order", () =>
  withServer({
    async onCompile(request, connection) {
      const words = new TextEncoder().encode(`${request.argv.join(" ")} ${request.env.A}`);
      // Not awaited one by one: the order of the calls counts.
      await Promise.all([
        connection.stderr(words),
        connection.stdout(new Uint8Array([1])),
        connection.exit(3),
      ]);
    },
  }, async (running) => {
    assertEquals(await ask(running), [
      { type: "stderr", bytes: new TextEncoder().encode("llamacc -c a.c 1") },
      { type: "stdout", bytes: new Uint8Array([1]) },
      { type: "exit", status: 3 },
    ]);
  }));

Deno.test("serveDaemon() splits output that is longer than a frame", () =>
  withServer({
    async onCompile(_request, connection) {
      await connection.stdout(new Uint8Array(20 * 1024 * 1024).fill(5));
      await connection.kill(9);
    },
  }, async (running) => {
    const answers = await ask(running);
    let bytes = 0;
    for (const answer of answers) if (answer.type === "stdout") bytes += answer.bytes.length;
    assertEquals(bytes, 20 * 1024 * 1024);
    assertEquals(answers.at(-1), { type: "signal", signal: 9 });
  }));

Deno.test("serveDaemon() makes a socket and a folder that only their owner can use", () =>
  withServer({}, async ({ socketPath }) => {
    const folder = socketPath.replace("/daemon.sock", "");
    assertEquals(((await Deno.stat(socketPath)).mode ?? 0) & 0o777, 0o600);
    assertEquals(((await Deno.stat(folder)).mode ?? 0) & 0o777, 0o700);
  }));

Deno.test("serveDaemon() refuses a folder that others can write into", async () => {
  const folder = await Deno.makeTempDir();
  const options = {
    socketPath: `${folder}/daemon.sock`,
    onCompile: () => Promise.resolve(),
    onControl: () => Promise.resolve(null),
  };
  for (const mode of [0o770, 0o702]) {
    await Deno.chmod(folder, mode);
    const error = assertThrows(() => serveDaemon(options), LlamaError, "others can write");
    assertEquals(error.code, "FolderNotPrivate");
  }
  await Deno.remove(folder, { recursive: true });
});

Deno.test("serveDaemon() names the length of a path that is too long", () => {
  const error = assertThrows(
    () =>
      serveDaemon({
        socketPath: `/tmp/${"é".repeat(50)}/x.sock`,
        onCompile: () => Promise.resolve(),
        onControl: () => Promise.resolve(null),
      }),
    LlamaError,
  );
  assertEquals(
    error.message,
    "Cannot start the daemon as the socket path is too long: 112 bytes, the limit is 107",
  );
});

Deno.test("serveDaemon() does not take a socket that is there", () =>
  withServer({}, ({ socketPath }) => {
    const error = assertThrows(
      () =>
        serveDaemon({
          socketPath,
          onCompile: () => Promise.resolve(),
          onControl: () => Promise.resolve(null),
        }),
      LlamaError,
    );
    assertEquals(error.code, "SocketInUse");
    return Promise.resolve();
  }));

Deno.test("a handler that throws or does not answer fails its own client only", () =>
  withServer({
    onCompile(request, connection) {
      if (request.argv[1] === "throw") {
        throw new LlamaError("X", "Cannot do it", { hint: "do that" });
      }
      return request.argv[1] === "nothing" ? Promise.resolve() : connection.exit(0);
    },
  }, async (running) => {
    assertEquals(await ask(running, { ...call, argv: ["llamacc", "throw"] }), [
      { type: "error", message: "Cannot do it; do that" },
    ]);
    assertEquals(await ask(running, { ...call, argv: ["llamacc", "nothing"] }), [
      { type: "error", message: "Cannot tell how the command ended: it has no answer" },
    ]);
    assertEquals(await ask(running), [{ type: "exit", status: 0 }]);
    assertEquals(running.events.filter((event) => event === "request-failed").length, 2);
  }));

Deno.test("an answer cannot go on after its end", () => {
  const { promise, resolve } = Promise.withResolvers<unknown>();
  return withServer({
    async onCompile(_request, connection) {
      await connection.exit(0);
      await connection.stdout(new Uint8Array(1)).catch(resolve);
    },
  }, async (running) => {
    assertEquals(await ask(running), [{ type: "exit", status: 0 }]);
    const error = await promise;
    assert(error instanceof LlamaError && error.code === "AnswerEnded");
  });
});

Deno.test("frames that are malformed end their connection with a reason", () =>
  withServer({}, async (running) => {
    const cases: [Uint8Array, RegExp][] = [
      [encodeFrame(99, new Uint8Array()), /kind 99/],
      [encodeFrame(1, new Uint8Array([9, 0, 0, 0])), /version 9.*llama daemon -shutdown/],
      [encodeFrame(1, new Uint8Array([1, 0, 0, 0])), /ends inside/],
      [new Uint8Array([1, 0, 0, 0, 255, 255, 255, 255]), /4294967295 bytes/],
    ];
    for (const [bytes, message] of cases) {
      using connection = await running.connect();
      await connection.write(bytes);
      const answer = new TextDecoder().decode(
        await new Response(connection.readable).arrayBuffer(),
      );
      assertMatch(answer, message);
    }
    // One that stops inside a frame gets nothing, and hurts nobody.
    const cut = await running.connect();
    await cut.write(encodeCompile(call).subarray(0, 20));
    cut.close();
    assertEquals(await ask(running), [{ type: "exit", status: 0 }]);
  }));

Deno.test("the signal of a connection aborts when its client leaves", () => {
  const begun = Promise.withResolvers<void>();
  const left = Promise.withResolvers<unknown>();
  return withServer({
    onCompile(_request, { signal }) {
      signal.addEventListener("abort", () => left.resolve(signal.reason), { once: true });
      begun.resolve();
      return left.promise.then(() => {});
    },
  }, async ({ connect }) => {
    const connection = await connect();
    await connection.write(encodeCompile(call));
    await begun.promise;
    connection.close();
    const reason = await left.promise;
    assert(reason instanceof LlamaError && reason.code === "ClientGone");
  });
});

Deno.test("an exec keeps the connection until the client's end, without an abort", () => {
  const ended = Promise.withResolvers<boolean>();
  const executed = Promise.withResolvers<void>();
  return withServer({
    async onCompile(_request, connection) {
      await connection.exec({ program: "/bin/true", argv: ["true"] });
      executed.resolve();
      await connection.closed;
      ended.resolve(connection.signal.aborted);
    },
  }, async ({ connect, server }) => {
    const connection = await connect();
    const answers = await Array.fromAsync(askCompile(connection, call));
    assertEquals(answers.map(({ type }) => type), ["exec"]);
    await executed.promise;
    assertEquals([server.stats().connections, server.stats().compiling], [1, 0]);
    connection.close();
    assertEquals(await ended.promise, false);
  });
});

Deno.test("an exec keeps the connection after its handler has returned", () =>
  withServer({
    onCompile(request, connection) {
      return request.argv[1] === "exec"
        ? connection.exec({ program: "/bin/true", argv: ["true"] })
        : connection.exit(0);
    },
  }, async (running) => {
    using connection = await running.connect();
    const request = { ...call, argv: ["llamacc", "exec"] };
    assertEquals((await Array.fromAsync(askCompile(connection, request))).length, 1);
    const end = connection.read(new Uint8Array(1));
    // Others come and go meanwhile.
    for (let count = 0; count < 3; count++) await ask(running);
    assertEquals(await Promise.race([end, Promise.resolve("open")]), "open");
    running.server.shutdown("test");
    assertEquals(await end, null);
  }));

Deno.test("control requests follow one another on a connection", () =>
  withServer({
    onControl(json) {
      if (json === "bad") throw new LlamaError("X", "Cannot serve that");
      return Promise.resolve({ got: json });
    },
  }, async ({ connect }) => {
    using connection = await connect();
    assertEquals(await askControl(connection, 1), { got: 1 });
    await assertRejects(() => askControl(connection, "bad"), LlamaError, "Cannot serve that");
    assertEquals(await askControl(connection, [2]), { got: [2] });
  }));

Deno.test("clients beyond the limit wait for their turn", () => {
  const open: (() => void)[] = [];
  const two = Promise.withResolvers<void>();
  let most = 0;
  let now = 0;
  return withServer({
    maxConnections: 2,
    async onCompile(_request, connection) {
      most = Math.max(most, ++now);
      await new Promise<void>((resolve) => {
        open.push(resolve);
        if (open.length === 2) two.resolve();
        if (open.length > 2) resolve();
      });
      now--;
      await connection.exit(0);
    },
  }, async (running) => {
    const all = Promise.all(Array.from({ length: 6 }, () => ask(running)));
    await two.promise;
    for (const resolve of open) resolve();
    assertEquals((await all).length, 6);
    assertEquals(most, 2);
  });
});

Deno.test("a client that sends no request is sent away", () =>
  withServer({ requestTimeoutMs: 1 }, async ({ connect, events }) => {
    using connection = await connect();
    assertEquals(await connection.read(new Uint8Array(1)), null);
    assert(events.includes("request-timeout"));
  }));

Deno.test("shutdown() lets a request in progress end and removes the socket", () => {
  const begun = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  return withServer({
    async onCompile(_request, connection) {
      begun.resolve();
      await go.promise;
      await connection.exit(7);
    },
  }, async (running) => {
    const answers = ask(running);
    using idle = await running.connect();
    await begun.promise;
    running.server.shutdown("test");
    assertEquals(await idle.read(new Uint8Array(1)), null);
    await assertRejects(() => Deno.stat(running.socketPath), Deno.errors.NotFound);
    go.resolve();
    assertEquals(await answers, [{ type: "exit", status: 7 }]);
    await running.server.finished;
    assertEquals(running.events.at(-1), "stopped");
  });
});

Deno.test("shutdown() aborts what does not end in time", () => {
  const begun = Promise.withResolvers<void>();
  return withServer({
    drainTimeoutMs: 1,
    async onCompile(_request, { signal }) {
      begun.resolve();
      await new Promise((_, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason), { once: true });
      });
    },
  }, async (running) => {
    const gone = assertRejects(() => ask(running), LlamaError, "the daemon has gone");
    await begun.promise;
    running.server.shutdown("test");
    await gone;
    await running.server.finished;
  });
});

Deno.test("shutdown() from a control request ends the server after the answer", () => {
  const server = Promise.withResolvers<DaemonServer>();
  return withServer({
    async onControl() {
      (await server.promise).shutdown("asked");
      return "bye";
    },
  }, async (running) => {
    server.resolve(running.server);
    using connection = await running.connect();
    assertEquals(await askControl(connection, {}), "bye");
    await running.server.finished;
  });
});

Deno.test("the server ends when it is idle for so long, and not before", () =>
  withServer({ idleTimeoutMs: 1 }, async ({ server, events, socketPath }) => {
    await server.finished;
    assertEquals(events, ["listening", "stopping", "stopped"]);
    await assertRejects(() => Deno.stat(socketPath), Deno.errors.NotFound);
  }));

Deno.test("a connection keeps an idle server from ending", () => {
  const go = Promise.withResolvers<void>();
  return withServer({
    idleTimeoutMs: 500,
    async onCompile(_request, connection) {
      await go.promise;
      await connection.exit(0);
    },
  }, async (running) => {
    const answers = ask(running);
    // Longer than the timeout.
    await new Promise((resolve) => setTimeout(resolve, 700));
    assertEquals(running.events, ["listening"]);
    go.resolve();
    assertEquals(await answers, [{ type: "exit", status: 0 }]);
    await running.server.finished;
  });
});
