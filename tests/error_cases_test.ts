/** Where the compiler fails, llamacc fails as it does: status, words, and what is left. */
import { assertEquals } from "@std/assert";
import { useBuildCloud } from "./build_cloud.ts";
import type { Entry } from "./fuzz/case.ts";
import { describe } from "./fuzz/difference.ts";
import { examine } from "./fuzz/fuzzer.ts";

const cloud = useBuildCloud({ unprivileged: true });

const FILES: readonly Entry[] = [
  { kind: "file", path: "a.c", text: "int a;\n", mode: 0o644 },
  { kind: "file", path: "w.c", text: "int f(void) { int x; }\n", mode: 0o644 },
  { kind: "file", path: "sub/b.c", text: "int b;\n", mode: 0o644 },
];

/** Runs each script with the compiler and with llamacc as `$CC`, in equal folders. */
async function alike(t: Deno.TestContext, scripts: readonly string[]): Promise<void> {
  for (const script of scripts) {
    await t.step({
      name: script,
      ignore: !cloud.modesCount && script.includes("chmod"),
      fn: async () => {
        const { differences } = await examine({ cloud, root: `${cloud.work}/case` }, {
          compiler: "cc",
          entries: FILES,
          steps: [{ kind: "run", command: ["sh", "-c", script] }],
          cwd: ".",
          umask: 0o022,
          env: {},
          stdin: "",
        });
        assertEquals(differences.map(describe).join("\n"), "");
      },
    });
  }
}

Deno.test("a source that cannot be read fails as with the compiler", (t) =>
  alike(t, [
    "$CC -c no.c; $CC -S no.c; $CC -E no.c; $CC no.c; $CC -M no.c; $CC -c no.c -o x.o -MD",
    "$CC -c no.c a.c; $CC -c a.c no.c",
    "chmod 0 a.c; $CC -c a.c; $CC -S a.c; $CC a.c; $CC -MD -c a.c -o sub/a.o",
    "chmod 0 sub; $CC -c sub/b.c",
    "chmod 444 sub; $CC -c sub/b.c",
    "chmod 111 sub; $CC -c sub/b.c",
    "chmod 0 sub; $CC -Isub -c a.c; $CC -include sub/b.c -c a.c",
    "mkdir d.c; $CC -c d.c; $CC -S d.c; $CC -c -x c sub",
    "mkfifo f.c; cat a.c >f.c & $CC -c f.c; wait; rm f.c",
    "mkfifo f.h; cat a.c >f.h & $CC -include f.h -c a.c; wait; rm f.h",
    "$CC -c -x c /dev/null -o n.o; $CC -c /dev/null; $CC -c -x c /dev/null",
    "ln -s l.c l.c; $CC -c l.c; ln -s none.c d.c; $CC -c d.c",
    "$CC -c $(printf %0300d 7).c",
    "$CC -c a.c/b.c; $CC -c a.c/; $CC -c ./sub/../a.c",
    "mkdir -p h.h; $CC -include h.h -c a.c; echo '#include \"h.h\"' >i.c; $CC -c i.c",
  ]));

Deno.test("odd arguments mean to llamacc what they mean to the compiler", (t) =>
  alike(t, [
    "$CC; $CC ''; $CC -c ''; $CC '' -c a.c; $CC -c a.c ''",
    "$CC -c a.c -o ''; $CC -I '' -c a.c; $CC -D '' -c a.c; $CC -x '' -c a.c; $CC -MF '' -MD -c a.c",
    "$CC -c a.c -include ''; $CC -c a.c -I; $CC -c a.c -D; $CC -c a.c -x; $CC -MD -c a.c -MF",
    "$CC -c @none; $CC @; $CC -c a.c @sub; touch empty; $CC -c a.c @empty; echo @loop >loop; $CC @loop",
    'name=$(printf \'new\\nline.c\'); cp a.c "$name"; $CC -MD -g -c "$name"',
    'name=$(printf \'b\\303\\244d \\377.c\'); cp a.c "$name"; $CC -MD -g -c "$name"',
    "$CC -c a.c -D$(printf 'X\\377')=1; $CC -c a.c -I$(printf 'X\\377')",
    "cp a.c -- -c.c; $CC -c -c.c; $CC -c -- -c.c; $CC -c ./-c.c",
    "$CC -c a.c -DLONG=$(printf %0100000d 7) -g3; $CC -c a.c -I$(printf %05000d 7)",
    "$CC -c a.c $(seq -f -DX%.0f 20000)",
    "$CC -c a.c $(seq -f -DXXXXXXXXXXXXXXXXXX%.0f 60000)",
    "seq -f -DXXXXXXXXXXXXXXXXXX%.0f 60000 >args; $CC -c a.c @args",
  ]));

Deno.test("a working folder that is gone or closed fails as with the compiler", (t) =>
  alike(t, [
    "at=$PWD; mkdir gone; cd gone; rmdir ../gone; $CC -c $at/a.c; $CC -c a.c; $CC -c $at/a.c -o $at/x.o",
    "at=$PWD; mkdir gone; cd gone; rmdir ../gone; $CC -g -c $at/a.c -o $at/x.o; $CC --version; $CC",
    "at=$PWD; mkdir shut; cd shut; chmod 0 .; $CC -c ../a.c; $CC -c $at/a.c -o $at/x.o",
    "at=$PWD; mkdir shut; cd shut; chmod 111 .; $CC -c ../a.c; $CC -g -c $at/a.c -o $at/x.o",
    "at=$PWD; mkdir shut; cd shut; chmod 555 .; $CC -c ../a.c; $CC -g -MD -c $at/a.c -o $at/x.o",
    "at=$PWD; mkdir -p shut/in; cd shut/in; chmod 0 ..; $CC -c $at/a.c -o $at/x.o; $CC -c a.c",
  ]));

Deno.test("the environment may be odd", (t) =>
  alike(t, [
    "TMPDIR=$PWD/none $CC -c a.c; TMPDIR=$PWD/none $CC -c w.c -Wall; TMPDIR=a.c $CC -c a.c; TMPDIR= $CC -c a.c",
    "mkdir tmp; chmod 555 tmp; TMPDIR=$PWD/tmp $CC -c a.c",
    "unset HOME; $CC -c a.c; PWD=/none $CC -g -c a.c; PWD= $CC -g -c a.c; env -u PWD $CC -g -c a.c",
    "CC=$(command -v $CC); unset PATH; $CC -c a.c",
    "CC=$(command -v $CC); env -i LLAMA_DIR=$LLAMA_DIR PATH=/usr/bin $CC -c a.c",
    "umask 077; $CC -MD -c a.c; umask 777; $CC -MD -c a.c -o b.o; umask 0; $CC -S a.c",
    "ODD=$(printf 'x\\377') $CC -c a.c; LANG=$(printf 'x\\377') $CC -c a.c; CPATH=$(printf '\\377') $CC -c a.c",
    "export LONG=$(printf %0100000d 7); $CC -c a.c",
  ]));

Deno.test("outputs that cannot be written fail as with the compiler", (t) =>
  alike(t, [
    "$CC -c a.c -o /dev/full; $CC -S a.c -o /dev/full; $CC -c a.c -MD -MF /dev/full",
    "$CC -E a.c >/dev/full; $CC -S -o - a.c >/dev/full; $CC -c w.c -Wall 2>/dev/full",
    "ulimit -f 0; $CC -c a.c",
    "ulimit -f 1; $CC -S a.c -g3; $CC -c a.c -g3 -MD",
    "$CC -c a.c -o no/such/a.o; $CC -c a.c -o a.c/x.o; $CC -c a.c -o sub; $CC -MD -MF sub -c a.c",
    "chmod 555 sub; $CC -c a.c -o sub/a.o; $CC -MD -MF sub/a.d -c a.c; $CC -S a.c -o sub/a.s",
    "touch a.o; chmod 444 a.o; $CC -c a.c; $CC -pipe -c w.c -o a.o; $CC -c a.c -MD -MF a.o",
    // Two programs complain at once, in either order.
    "echo '#include <no.h>' >e.c; touch e.o; chmod 444 e.o; $CC -pipe -c e.c 2>err; echo $?; sort err >&2; rm err",
    "echo kept >a.o; $CC -c w.c -Werror -Wall -o a.o; $CC -c no.c -o a.o; cat a.o",
    "echo kept >w.o; echo kept >w.d; $CC -c w.c -Werror -Wall -MD; ls",
    "mkdir a.o; $CC -c a.c; mkdir a.d; $CC -c a.c -MD -o x.o",
  ]));

Deno.test("closed and broken descriptors are borne as by the compiler", (t) =>
  alike(t, [
    "$CC -c w.c -Wall <&-; $CC -c w.c -Wall >&-; $CC -c w.c -Wall 2>&-; $CC -c w.c -Wall <&- >&- 2>&-",
    "$CC -E a.c >&-; $CC -S -o - a.c >&-; $CC --version >&-; $CC -c no.c 2>&-",
    "mkfifo p; sh -c ': <p' & exec 4>p; wait; $CC -c w.c -Wall 2>&4; echo $?; rm p",
    "mkfifo p; sh -c ': <p' & exec 4>p; wait; $CC -S w.c -o - 1>&4; echo $?; rm p",
    "$CC -c a.c 7<a.c 8>kept; $CC -c a.c 3<&- 4<&-",
  ]));

Deno.test("a source that is too much fails as with the compiler", (t) =>
  alike(t, [
    "echo '#include \"r.c\"' >r.c; $CC -c r.c",
    'for i in $(seq 300); do echo "int x$i = y$i;"; done >m.c; $CC -c m.c; $CC -c m.c -fmax-errors=3',
    'for i in $(seq 300); do echo "int x$i = y$i;"; done >m.c; $CC -c m.c -Wfatal-errors',
    "{ echo 'int f(void) {'; seq -f 'int x%.0f;' 400 | tr '\\n' ' '; echo '}'; } >m.c; $CC -c -Wall m.c",
    "{ echo '/*'; yes comment | head -c 60000000; echo '*/ int a;'; } >m.c; $CC -c m.c; rm m.c",
    "echo 'char a[50000000] = {1};' >m.c; $CC -c m.c && cksum m.o && rm m.o",
    "printf '#error stop\\n#warning go\\nint x = ;' >e.c; echo kept >e.o; $CC -MD -c e.c; $CC -Wp,-MD,e.d -c e.c",
    "{ printf 'int a = '; head -c 300000 /dev/zero | tr '\\0' '('; } >p.c; $CC -c p.c 2>err; echo $?; wc -l <err",
    "printf 'int a\\0;\\n' >z.c; $CC -c z.c; printf '\\377\\376i' >u.c; $CC -c u.c; : >e.c; $CC -c e.c",
  ]));
