/**
 * Whatever the guess knew or missed, and whatever changes before or while a job runs: what llamacc
 * leaves is what the local compiler leaves in the same folder.
 */
import { assert, assertEquals } from "@std/assert";
import { type Case, inLab, type Lab } from "./compile_lab.ts";

type Cases = Readonly<Record<string, (at: Case) => Promise<void>>>;

const GUESSED = { rounds: 1, voids: {} };

/** Takes about a second, unless a header sets TURNS. */
const SPIN = `
#ifndef TURNS
#define TURNS 300000
#endif
constexpr unsigned spin(unsigned turns) {
  unsigned x = 1;
  for (unsigned i = 0; i < turns; i++) x = x * 1664525u + 1013904223u;
  return x;
}
constexpr unsigned spun = spin(TURNS);
unsigned get() { return spun + WHICH; }
`;
const LONG = ["-std=c++17", "-fconstexpr-ops-limit=900000000", "-fconstexpr-loop-limit=90000000"];

const BEFORE: Cases = {
  "a header that newly shadows another, at once after the last build": async (at) => {
    await at.write("a.c", '#include "x.h"\nint get(void) { return WHICH; }\n');
    await Deno.mkdir(`${at.folder}/first`);
    await at.write("second/x.h", "#define WHICH 2\n");
    const compile = { args: ["-g", "-Ifirst", "-Isecond", "a.c"] };
    assertEquals(await at.compare(compile), GUESSED);
    await at.write("first/x.h", "#define WHICH 1\n");
    assertEquals(await at.compare(compile), GUESSED);
    await at.write("x.h", "#define WHICH 0\n");
    assertEquals(await at.compare(compile), GUESSED);
    await Deno.remove(`${at.folder}/first/x.h`);
    await Deno.remove(`${at.folder}/x.h`);
    assertEquals(await at.compare(compile), GUESSED);
  },
  "a header of the same size and time with other text": async (at) => {
    await at.write("a.c", '#include "x.h"\nint get(void) { return WHICH; }\n');
    for (const which of [1, 2, 3]) {
      await at.write("x.h", `#define WHICH ${which}\n`);
      await Deno.utime(`${at.folder}/x.h`, 1_700_000_000, 1_700_000_000);
      assertEquals(await at.compare({ args: ["-O2", "a.c"] }), GUESSED);
    }
  },
  "a folder on the search path that is a link to another one now": async (at) => {
    await at.write("a.c", "#include <x.h>\nint get(void) { return WHICH; }\n");
    await at.write("v1/include/x.h", "#define WHICH 1\n");
    await at.write("v2/include/x.h", "#define WHICH 2\n");
    await Deno.mkdir(`${at.folder}/links`);
    await Deno.mkdir(`${at.folder}/src`);
    await Deno.rename(`${at.folder}/a.c`, `${at.folder}/src/a.c`);
    const compile = { args: ["-g", "-I../links/now/include", "a.c"], cwd: `${at.folder}/src` };
    for (const version of ["v1", "v2", "v1"]) {
      await relink(`../${version}`, `${at.folder}/links/now`);
      assertEquals(await at.compare(compile), GUESSED);
    }
  },
  "a header that is a link to another one now": async (at) => {
    await at.write("a.c", '#include "sub/x.h"\nint get(void) { return WHICH; }\n');
    await at.write("one.h", "#define WHICH 1\n");
    await at.write("two.h", "#define WHICH 2\n");
    await Deno.mkdir(`${at.folder}/sub`);
    for (const name of ["one.h", "two.h"]) {
      await relink(`../${name}`, `${at.folder}/sub/x.h`);
      assertEquals(await at.compare({ args: ["-g", "a.c"] }), GUESSED);
    }
  },
  "a folder in place of a link, and a link in place of a folder": async (at) => {
    await at.write("src/a.c", "#include <x.h>\nint get(void) { return WHICH; }\n");
    await at.write("q/real/x.h", "#define WHICH 1\n");
    await at.write("q/other/x.h", "#define WHICH 2\n");
    const compile = { args: ["-I../q/way", "a.c"], cwd: `${at.folder}/src` };
    await relink("real", `${at.folder}/q/way`);
    await at.compare(compile);
    await Deno.remove(`${at.folder}/q/way`);
    await Deno.rename(`${at.folder}/q/other`, `${at.folder}/q/way`);
    await at.compare(compile);
    await Deno.rename(`${at.folder}/q/way`, `${at.folder}/q/other`);
    await relink("real", `${at.folder}/q/way`);
    await at.compare(compile);
  },
  "a header that is gone, with the same complaint": async (at) => {
    await at.write("a.c", '#include "x.h"\nint get(void) { return 1; }\n');
    await at.write("x.h", "");
    await at.compare({ args: ["a.c"] });
    await Deno.remove(`${at.folder}/x.h`);
    assertEquals(await at.compare({ args: ["a.c"] }), GUESSED);
  },
  "__has_include of a header that is absent, then present": async (at) => {
    await at.write(
      "a.c",
      '#if __has_include("opt.h")\nint opt;\n#endif\n#if __has_include(<opt/sub.h>)\nint sub;\n#endif\n',
    );
    const compile = { args: ["-Iinc", "a.c"] };
    await at.compare(compile);
    await at.write("opt.h", "");
    await at.compare(compile);
    await at.write("inc/opt/sub.h", "");
    await at.compare(compile);
  },
  "two builds with other macros in turn": async (at) => {
    await at.write(
      "a.c",
      '#ifdef X\n#include "x.h"\n#else\n#include NAME\n#endif\nint f = WHICH;\n',
    );
    await at.write("x.h", "#define WHICH 1\n");
    await at.write("y.h", "#define WHICH 2\n");
    const y = ["-g", '-DNAME="y.h"', "a.c"];
    for (const args of [["-g", "-DX", "a.c"], y, ["-g", "-DX", "a.c"]]) await at.compare({ args });
    // What was learned is not forgotten.
    assertEquals(await at.compare({ args: y }), GUESSED);
  },
};

const SPELLINGS: Cases = {
  "a computed include": async (at) => {
    await at.write("a.c", "#define NAME(x) <sub/x.h>\n#include NAME(deep)\nint f = WHICH;\n");
    await at.write("inc/sub/deep.h", '#include "deeper.h"\n');
    await at.write("inc/sub/deeper.h", "#define WHICH 1\n");
    const { rounds } = await at.compare({ args: ["-Iinc", "a.c"] });
    assertEquals(rounds, 2);
  },
  "include_next": async (at) => {
    await at.write(
      "a.c",
      "#include <x.h>\n#include <limits.h>\nint f = WHICH + OUTER + INT_MAX;\n",
    );
    await at.write("one/x.h", "#define OUTER 1\n#include_next <x.h>\n");
    await at.write("two/x.h", "#define WHICH 2\n");
    await at.write("one/limits.h", "#include_next <limits.h>\n");
    assertEquals(await at.compare({ args: ["-g", "-Ione", "-Itwo", "a.c"] }), GUESSED);
  },
  ".incbin in an asm statement": async (at) => {
    await at.write("a.c", '__asm__(".incbin \\"data/blob.bin\\"");\nint f;\n');
    await at.write("data/blob.bin", "some bytes");
    await at.compare({ args: ["-O2", "a.c"] });
    await at.write("data/blob.bin", "other ones");
    assertEquals(await at.compare({ args: ["-O2", "a.c"] }), GUESSED);
    await Deno.remove(`${at.folder}/data/blob.bin`);
    await at.compare({ args: ["-O2", "a.c"] });
  },
  "includes through a link and through a/../b.h": async (at) => {
    await at.write("a.c", '#include "way/x.h"\n#include "empty/../sub/../y.h"\nint f = X + Y;\n');
    await at.write("deep/down/x.h", '#include "../up.h"\n');
    await at.write("deep/up.h", "#define X 1\n");
    await at.write("up.h", "#define X 2\n");
    await at.write("y.h", "#define Y 3\n");
    await Deno.mkdir(`${at.folder}/empty`);
    await Deno.mkdir(`${at.folder}/sub`);
    await relink("deep/down", `${at.folder}/way`);
    assertEquals(await at.compare({ args: ["-g", "a.c"] }), GUESSED);
    await Deno.remove(`${at.folder}/empty`);
    assertEquals(await at.compare({ args: ["-g", "a.c"] }), GUESSED);
  },
  "-include, -imacros and an absolute name": async (at) => {
    await at.write("a.c", `#include "${at.folder}/abs.h"\nint f = A + B + C;\n`);
    await at.write("forced.h", '#include "more.h"\n');
    await at.write("more.h", "#define A 1\n");
    await at.write("inc/macros.h", "#define B 2\n");
    await at.write("abs.h", "#define C 3\n");
    const args = ["-g3", "-Iinc", "-include", "forced.h", "-imacros", "macros.h", "a.c"];
    assertEquals(await at.compare({ args }), GUESSED);
  },
  "-I of an empty folder, an absent one, a file, and a link to nothing": async (at) => {
    await at.write("a.c", "#include <stddef.h>\nint f = sizeof(size_t);\n");
    await at.write("file", "");
    await Deno.mkdir(`${at.folder}/empty`);
    await relink("nowhere", `${at.folder}/dangling`);
    const folders = ["-Iempty", "-Iabsent", "-Ifile", "-Idangling", "-isystem", "empty/../empty"];
    await at.compare({ args: ["-Wmissing-include-dirs", ...folders, "a.c"] });
  },
  "names with a space, UTF-8, quotes and a dollar sign": async (at) => {
    const odd = "so näme – 日本 'q' $x";
    await at.write(`${odd}/a b.c`, '#include "ü ä.h"\n#include <x y.h>\nint f = X + Y;\n');
    await at.write(`${odd}/ü ä.h`, "#define X 1\n");
    await at.write(`${odd}/in c/x y.h`, "#define Y 2\n");
    assertEquals(await at.compare({ args: ["-g", `-I${odd}/in c`, `${odd}/a b.c`] }), GUESSED);
    const cwd = `${at.folder}/${odd}`;
    assertEquals(await at.compare({ args: ["-g", "-Iin c", "a b.c"], cwd }), GUESSED);
  },
  "a source by its absolute path, by ../ and by ./": async (at) => {
    await at.write("src/a.c", '#include "x.h"\nconst char *f = __FILE__ X;\n');
    await at.write("src/x.h", "#define X __FILE__\n");
    await Deno.mkdir(`${at.folder}/build`);
    for (const path of [`${at.folder}/src/a.c`, "../src/a.c", ".././src//a.c"]) {
      const counted = await at.compare({ args: ["-g", path], cwd: `${at.folder}/build` });
      assertEquals(counted, GUESSED);
    }
  },
  "a working folder reached through a link": async (at) => {
    await at.write("real/deep/a.c", '#include "../x.h"\nconst char *f = __FILE__ X;\n');
    await at.write("real/x.h", '#define X "real"\n');
    await at.write("x.h", '#define X "not this one"\n');
    await relink("real/deep", `${at.folder}/way`);
    const cwd = `${at.folder}/real/deep`;
    const way = { args: ["-g", "a.c"], cwd, env: { PWD: `${at.folder}/way` } };
    assertEquals(await at.compare(way), GUESSED);
    assertEquals(await at.compare({ ...way, env: { PWD: "/tmp" } }), GUESSED);
    await at.compare({ args: ["-g", `${at.folder}/way/a.c`] });
  },
  "#pragma once with equal files of the same and of another time": async (at) => {
    await at.write("a.c", '#include "one/x.h"\n#include "two/x.h"\nint f = __COUNTER__;\n');
    for (const seconds of [0, 5]) {
      for (const [index, path] of ["one/x.h", "two/x.h"].entries()) {
        await at.write(path, "#pragma once\nstatic int g = __COUNTER__;\n");
        const time = 1_700_000_000 + index * seconds;
        await Deno.utime(`${at.folder}/${path}`, time, time);
      }
      // The second time the variable is there twice.
      assertEquals(await at.compare({ args: ["a.c"] }), GUESSED);
    }
  },
  "__FILE__, __BASE_FILE__ and __TIMESTAMP__, in a time zone": async (at) => {
    await at.write("a.c", '#include "x.h"\nconst char *f = __TIMESTAMP__ __BASE_FILE__ X;\n');
    await at.write("x.h", "#define X __TIMESTAMP__ __FILE__\n");
    await Deno.utime(`${at.folder}/a.c`, 1_700_000_000, 1_700_000_000);
    await Deno.utime(`${at.folder}/x.h`, 1_600_000_000, 1_600_000_000);
    for (const zone of ["UTC", "JST-9", "America/New_York", ":Europe/Berlin"]) {
      await at.compare({ args: ["a.c"], env: { TZ: zone } });
    }
  },
  "the compiler's name leads to another compiler now": async (at) => {
    await at.write("a.c", "int f(int x) { return x; }\n");
    const cc = `${at.folder}/cc`;
    for (const compiler of ["gcc", "g++"]) {
      await relink(`/usr/bin/${compiler}`, cc);
      await at.compare({ args: ["a.c"], cc });
    }
  },
  "a source with another language, and one that does not compile": async (at) => {
    await at.write("a.txt", "template <class T> T f(T x) { return x; }\nint g = f(1);\n");
    assertEquals(await at.compare({ args: ["-x", "c++", "a.txt"] }), GUESSED);
    await at.write("a.c", "int f(void) { int unused; return nothing; }\n");
    for (const locale of ["C", "C.UTF-8", "en_US.UTF-8", "de_DE"]) {
      const env = { LC_ALL: locale };
      assertEquals(await at.compare({ args: ["-Wall", "a.c"], env }), GUESSED);
    }
  },
};

const MEANWHILE: Cases = {
  "a header that appears while the job runs, asked for": async (at) => {
    await at.write("appears.cc", `#if __has_include("new.h")\n#include "new.h"\n#endif\n${SPIN}`);
    const { voids } = await at.compare({
      args: [...LONG, "-DWHICH=1", "appears.cc"],
      cxx: true,
      meanwhile: () => at.write("new.h", "#define TURNS 7\n"),
    });
    assertEquals(voids, { incomplete: 1 });
  },
  "a header that appears while the job runs and shadows another": async (at) => {
    await at.write("shadows.cc", `#include <x.h>\n${SPIN}`);
    await Deno.mkdir(`${at.folder}/first`);
    await at.write("second/x.h", "#define WHICH 2\n");
    const { voids } = await at.compare({
      args: [...LONG, "-Ifirst", "-Isecond", "shadows.cc"],
      cxx: true,
      meanwhile: () => at.write("first/x.h", "#define WHICH 1\n#define TURNS 7\n"),
    });
    assertEquals(voids, { incomplete: 1 });
  },
  "a header that changes while the job runs": async (at) => {
    await at.write("changes.cc", `#include "x.h"\n${SPIN}`);
    await at.write("x.h", "#define WHICH 1\n");
    const { voids } = await at.compare({
      args: [...LONG, "changes.cc"],
      cxx: true,
      meanwhile: () => at.write("x.h", "#define WHICH 2\n#define TURNS 7\n"),
    });
    assertEquals(voids, { changed: 1 });
  },
  "a source that changes while the job runs": async (at) => {
    await at.write("source.cc", `#define WHICH 1\n${SPIN}`);
    const { voids } = await at.compare({
      args: [...LONG, "source.cc"],
      cxx: true,
      meanwhile: () => at.write("source.cc", "int get() { return 0; }\n"),
    });
    assertEquals(voids, { changed: 1 });
  },
  "a header that goes while the job runs": async (at) => {
    await at.write("goes.cc", `#include "x.h"\n${SPIN}`);
    await at.write("x.h", "#define WHICH 1\n");
    const { voids } = await at.compare({
      args: [...LONG, "goes.cc"],
      cxx: true,
      meanwhile: () => Deno.remove(`${at.folder}/x.h`),
    });
    assertEquals(voids, { changed: 1 });
  },
  "a link that leads elsewhere while the job runs": async (at) => {
    await at.write("leads.cc", `#include <x.h>\n${SPIN}`);
    await at.write("v1/x.h", "#define WHICH 1\n");
    await at.write("v2/x.h", "#define WHICH 2\n#define TURNS 7\n");
    await relink("v1", `${at.folder}/now`);
    const { voids } = await at.compare({
      args: [...LONG, "-Inow", "leads.cc"],
      cxx: true,
      meanwhile: () => relink("v2", `${at.folder}/now`),
    });
    // The next guess may still have the folder that the link led to.
    assertEquals(voids.changed, 1);
  },
};

/** Makes `path` a link to `target`, as `ln -sfn` does. */
async function relink(target: string, path: string): Promise<void> {
  await Deno.symlink(target, `${path}.new`);
  await Deno.rename(`${path}.new`, path);
}

Deno.test({
  name: "llamacc leaves what the local compiler leaves",
  ignore: Deno.build.os !== "linux",
  fn: async (t) => {
    await inLab(async (lab: Lab) => {
      for (const [name, test] of Object.entries({ ...BEFORE, ...SPELLINGS, ...MEANWHILE })) {
        const passed = await t.step(name, async () => await test(await lab.open()));
        assert(passed !== undefined);
      }
    });
  },
});
