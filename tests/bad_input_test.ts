import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  assertNoLeftovers,
  BIN,
  compare,
  type RunOptions,
  treeOf,
  useBuildCloud,
} from "./build_cloud.ts";

const cloud = useBuildCloud({ unprivileged: true });

/** Runs a script in a shell, as the user of the cloud. */
const shell = (script: string, options?: RunOptions) => cloud.run(["sh", "-c", script], options);

/** Fails unless the command says one line that matches, prints nothing and changes no file. */
async function refuses(
  command: string,
  code: number,
  message: RegExp,
  options: RunOptions = {},
): Promise<void> {
  const before = await treeOf(cloud.work);
  const ended = await shell(command, options);
  assertMatch(ended.stderr, message, command);
  assertEquals(ended.stderr.trimEnd().split("\n").length, 1, ended.stderr);
  assertEquals([ended.code, ended.stdout], [code, ""], command);
  assertEquals(await treeOf(cloud.work), before, command);
}

Deno.test("llama says in one line what is wrong with a call or a file", async () => {
  await shell("echo text >a.txt; echo no >closed; mkdir -p shut");
  await refuses("llama -nonsense", 2, /^llama: Unknown flag -nonsense/);
  await refuses(
    "llama invoek llama true",
    2,
    /^llama: Unknown command "invoek" \(did you mean invoke\?\)/,
  );
  await refuses(
    "llama invoke -f nothing llama true",
    1,
    /^llama: Cannot send "nothing" as it does not exist/,
  );
  await refuses("llama invoke lama true", 1, /^llama: .*"lama".*llama/);
  await refuses("llama invoke llama no-such-command", 127, /^llama: .*no-such-command.*-ship/);
  await refuses(
    "llama invoke -o made llama true",
    1,
    /^llama: The command succeeded and did not make the output "made"/,
  );
  await refuses("llama store nothing", 1, /^llama: .*nothing/);
  await refuses(`llama get ${"0".repeat(64)}`, 1, /^llama: .*0000/);
});

Deno.test("llama leaves nothing half-written where it may not read or write", async (t) => {
  if (!cloud.modesCount) {
    return void await t.step({ name: "as root modes mean nothing", ignore: true, fn: () => {} });
  }
  await shell("echo no >closed; chmod 0 closed; mkdir -p shut; chmod 555 shut");
  await shell("mkdir -p half; echo old >half/a; mkdir -p half/shut; chmod 555 half/shut");
  const closed = await shell("llama invoke -f closed llama true");
  assertMatch(closed.stderr, /^llama: Cannot .*"closed".*\n$/);
  assertEquals([closed.code, closed.stdout], [1, ""]);
  await shell("rm -f closed");
  await refuses(
    "llama invoke -o shut/made:made llama sh -c 'echo x >made'",
    1,
    /^llama: Cannot write .*shut.*\n$/,
  );
  await refuses(
    "llama invoke -o half/a:a -o half/shut/b:b llama sh -c 'echo x >a; echo y >b'",
    1,
    /^llama: Cannot write .*shut.*\n$/,
  );
  await shell("chmod 755 shut half/shut; rm -rf shut half");
});

Deno.test("llama says which credentials the cloud refuses", async () => {
  const { accessKeyId, secretAccessKey, port } = JSON.parse(
    await Deno.readTextFile(`${cloud.llamaDir}/cloud/endpoint.json`),
  );
  const env = {
    AWS_ENDPOINT_URL: `http://127.0.0.1:${port}`,
    AWS_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
  };
  const command = "llama invoke llama true";
  assertEquals((await shell(command, { env })).code, 0);
  await refuses(command, 1, /SignatureDoesNotMatch|InvalidSignature.*\(.*secret/, {
    env: { ...env, AWS_SECRET_ACCESS_KEY: "x".repeat(40) },
  });
  await refuses(
    command,
    1,
    /(UnrecognizedClient|InvalidAccessKeyId|InvalidClientTokenId).*\(.*\)/,
    {
      env: { ...env, AWS_ACCESS_KEY_ID: "AKIAUNKNOWN000000000" },
    },
  );
  await refuses(
    command,
    1,
    /(UnrecognizedClient|InvalidToken|ExpiredToken|InvalidClientTokenId).*\(.*\)/,
    {
      env: { ...env, AWS_ACCESS_KEY_ID: "ASIAUNKNOWN000000000", AWS_SESSION_TOKEN: "expired" },
    },
  );
  await refuses(command, 1, /AWS_SECRET_ACCESS_KEY/, {
    env: { ...env, AWS_SECRET_ACCESS_KEY: undefined },
  });
  await refuses(command, 1, /llama\.json is about the embedded cloud, and AWS is in use/, {
    env: { ...env, AWS_ENDPOINT_URL: "http://127.0.0.1:1" },
  });
});

Deno.test("llama names the file of its own that is damaged, or mends it", async () => {
  const config = `${cloud.llamaDir}/llama.json`;
  const good = await Deno.readTextFile(config);
  for (const text of ["{", "[]", '{"version":1}', '{"version":99}', "\0"]) {
    await Deno.writeTextFile(config, text);
    await refuses(
      "llama invoke llama true",
      1,
      /^llama: Cannot read .*llama\.json.*llama bootstrap/,
    );
    const compiled = await shell("echo 'int a;' >a.c; llamacc -c a.c && rm a.c a.o");
    assertEquals([compiled.code, compiled.stdout], [0, ""], compiled.stderr);
  }
  await Deno.writeTextFile(config, good);

  await cloud.must(["llama", "cloud", "-stop"]);
  await Deno.writeTextFile(`${cloud.llamaDir}/cloud/endpoint.json`, "{");
  const mended = await shell("llama invoke llama echo mended");
  assertEquals([mended.code, mended.stdout], [0, "mended\n"], mended.stderr);
});

Deno.test("llama needs a LLAMA_DIR that it can use", async () => {
  const long = `/tmp/${"x".repeat(120)}`;
  await refuses(
    "llama daemon -autostart",
    1,
    /socket path is too long: \d+ bytes, the limit is 107 \(set LLAMA_DIR/,
    {
      env: { LLAMA_DIR: long },
    },
  );
  await refuses("llamacc -c a.c", 1, /socket path is too long.*set LLAMA_DIR/, {
    env: { LLAMA_DIR: long },
  });
  const unwritable = cloud.modesCount ? "/llama-test" : "/proc/llama-test";
  await refuses("llamacc -c a.c", 1, /^llamacc: Cannot make the folder ".*llama-test"/, {
    env: { LLAMA_DIR: unwritable },
  });
  await refuses("llama daemon -autostart", 1, /^llama: Cannot .*llama-test/, {
    env: { LLAMA_DIR: unwritable },
  });
  await refuses("llama -quiet invoke llama true", 1, /^llama: Cannot .*llama-test/, {
    env: { LLAMA_DIR: unwritable },
  });
});

Deno.test("llama ends a command that does not end", async () => {
  await refuses(
    "llama invoke -timeout 1s llama sleep 1000",
    1,
    /^llama: .*(1 s|1\.0 s|1000 ms|timed out|time).*\n$/,
  );
});

Deno.test("llama takes any name and any bytes", async () => {
  const script = `
name=$(printf 'a b\\nc \\303\\244 $x')
printf 'bytes\\377\\001' >in
llama invoke -f "in:$name" -o "$name" -o "out:o $name" llama sh -c 'cat "$1" >"o $1"; echo more >>"$1"' sh "$name"
cat out "$name" | od -An -tx1
rm -f in out "$name"
llama invoke llama printf '%s|' 'a  b' '' '*' "$(printf 'x\\ny')" 'ä€😀' "$(printf '\\001\\033')"
`;
  const { code, stdout, stderr } = await shell(script);
  assertEquals([code, stderr], [0, ""]);
  const bytes = " 62 79 74 65 73 ff 01";
  assertEquals(
    stdout.replace(/\n {0,1}(?=[0-9a-f]{2} )/g, " ").replace(/\n/, "|"),
    `${bytes}${bytes} 6d 6f 72 65 0a|a  b||*|x\ny|ä€😀|\x01\x1b|`,
  );
});

Deno.test("llama bears a closed stdin, and a stdout that nobody reads", async () => {
  const closed = await shell(
    "llama invoke -stdin llama cat <&-; echo $?; llama version >&- 2>&-; echo $?",
  );
  assertEquals(closed.stderr, "");
  assertMatch(closed.stdout, /^0\n[01]\n$/);
  const piped = await shell(
    "llama invoke llama seq 300000 | head -1; llama help invoke | head -1; llama daemon -stats | head -1",
  );
  assertEquals([piped.code, piped.stderr, piped.stdout.split("\n")[0]], [0, "", "1"]);
});

Deno.test("llama and llamacc leave nothing where the disk is full", async (t) => {
  if (Deno.uid() !== 0) {
    return void await t.step({ name: "needs root, to mount", ignore: true, fn: () => {} });
  }
  const disk = `${cloud.work}/disk`;
  await Deno.mkdir(disk);
  const mount = await new Deno.Command("mount", {
    args: ["-t", "tmpfs", "-o", "size=64k,mode=1777", "tmpfs", disk],
  }).output();
  if (!mount.success) {
    return void await t.step({ name: "cannot mount", ignore: true, fn: () => {} });
  }
  try {
    await shell("echo old >disk/b; echo old >disk/c");
    const full = /^llama: Cannot write .*(No space|full).*\n$/;
    await refuses(
      "llama invoke -o disk/b:b -o disk/c:c llama sh -c 'echo new >b; head -c 200000 /dev/zero >c'",
      1,
      full,
    );
    const source = "char a[100000] = {1};";
    const local = await shell(`echo '${source}' >big.c; cc -c big.c -o disk/a.o`);
    assert(local.code !== 0);
    await shell("rm -f disk/a.o");
    const there = await shell(
      "llamacc -c big.c -o disk/a.o; status=$?; rm -f disk/a.o; exit $status",
    );
    assertEquals(there.code, local.code, there.stderr);
    assertMatch(there.stderr, /No space left/);
    await assertNoLeftovers(cloud.work);
  } finally {
    await new Deno.Command("umount", { args: [disk] }).output();
    await shell("rm -rf disk big.c");
  }
});

Deno.test("llamacc fails as the local compiler does", async () => {
  const files = { "a.c": "int a;\n", "sub/b.c": "int b;\n" };
  const scripts = [
    "$CC -c nothing.c",
    "$CC -c sub",
    "$CC -c sub -o x.o",
    "$CC -c a.c -o no/such/folder/a.o",
    "$CC -c a.c -o sub",
    "$CC -c a.c -o a.c/x.o",
    "$CC -MD -MF no/folder/x.d -c a.c",
    "$CC -include missing.h -c a.c",
    "$CC -c a.c -o /dev/null && test -c /dev/null",
    "ln -s target a.o; $CC -c a.c",
    "ln -s sub/target a.o; $CC -c a.c",
    "mkfifo f; cat f >copy & $CC -S a.c -o f; wait; test -p f && rm f",
    "echo '#error no' >e.c; echo kept >e.o; $CC -c e.c",
    "printf 'int a;' >'-odd.c'; $CC -c ./-odd.c; $CC -c -odd.c",
    "printf 'int a;' >'a b$c.c'; $CC -MD -c 'a b$c.c'",
    "$CC -c a.c a.c",
    "$CC -c a.c -fno-such-flag; $CC -c a.c --no-such; $CC -c a.c -std=c1; $CC -c",
    "$CC -c a.c -o",
    "$CC -c a.c -O2 -O9 -march=nonsense",
  ];
  if (cloud.modesCount) {
    scripts.push(
      "chmod 0 a.c; $CC -c a.c",
      "chmod 0 sub; $CC -c sub/b.c",
      "chmod 555 sub; $CC -c a.c -o sub/a.o",
      "chmod 555 sub; $CC -MD -c a.c -o sub/a.o",
      "touch a.o; chmod 600 a.o; $CC -c a.c",
      "touch a.o; chmod 444 a.o; $CC -c a.c",
      "echo kept >a.o; chmod 444 a.o; $CC -c a.c",
      "echo kept >a.d; chmod 444 a.d; $CC -MD -c a.c",
      "echo kept >a.s; chmod 444 a.s; $CC -S a.c",
      "touch h.h; chmod 0 h.h; $CC -include h.h -c a.c",
    );
  }
  for (const script of scripts) await compare(cloud, { script, files });
  await assertNoLeftovers(cloud.work);
});

Deno.test("bin/llama says what to do without its library", async () => {
  await shell(`mkdir lone; cp ${BIN}/llama lone/`);
  await refuses(
    "lone/llama version",
    1,
    /^llama: .*lib\/llama\/launch cannot be read: No such file/,
  );
  await shell("rm -r lone");
});
