/*
 * The path shim: a preloaded library that shows a job's root as `/`.
 *
 *     cc -O2 -shared -fPIC -o shim.so path_shim.c -ldl
 *
 * Why. A job's files are laid out below a folder (ROOT, LLAMA_SHIM_ROOT) as they stand on the
 * caller's machine, and its command runs there with not one argument rewritten. A worker gives
 * us no namespace, chroot or ptrace, so the names are translated where programs hand them to
 * libc:
 *
 *   given by the program              what the kernel sees
 *   /x, //x                           ROOT/x
 *   ROOT, ROOT/x                      the same
 *   /dev, /proc, /sys and below       the same; only what may carry content of its own is recorded
 *   x, ../x                           the same: the working folder is below ROOT
 *   what climbs above / by `..`       what a chroot makes of it; clamp() walks the links to tell
 *   symlink("/x", ...)                a link to ROOT/x, which readlink() gives back as /x
 *
 * Answers (getcwd, realpath, readlink, also of /proc/self/exe and /proc/self/fd/N) lose their
 * ROOT. What is not below ROOT does not exist; the worker's own file of that name is never read.
 * ROOT must be spelled as the kernel spells it (no link in it), or answers could not be
 * recognised. A name is too long as soon as ROOT and it are 4,096 bytes together.
 *
 * Why outer functions. A call that libc makes itself (the PATH search of execvp, the shell of
 * system, the open within fopen) does not come by a preloaded symbol. So we stand before the
 * function that the program calls, and what libc would look up within it, we look up ourselves.
 * A `#!` line is read here, too, as the kernel would take the interpreter from the worker's `/`.
 *
 * What still leads out. Links are followed by the kernel: one whose relative target climbs above
 * ROOT (the runtime must lay none), and /proc/PID/root. fts(3) walks absolute folders untranslated.
 *
 * Images. In a function of a container image (LLAMA_SHIM_IMAGE) the programs are the image's own. A name
 * in a folder of the system that is to be read, and is not below ROOT, means the image's file then; a
 * folder that is to be listed is the image's if that has it. Nothing of an image can be written.
 *
 * What is recorded. If LLAMA_SHIM_LOG names a file, each new finding is appended to it by one
 * write(2), so that it outlives any way to die: a letter, a path as the program sees and spells
 * it (absolute; `.`, `..` and links are left in it) and a NUL.
 *
 *   O  it was there: opened, asked about, executed, loaded
 *   L  the folder was listed
 *   A  it was not there
 *   I  it was not there, and the image has it
 *   B  not a path but the reason why this log may be incomplete
 *
 * What a job creates is no finding, unless it stood there before; nor is it one to the process that
 * has created it when it comes back to it (objcopy to its temporary file). A process that cannot write
 * its record kills itself: a lost record would be a wrong proof. A log without any record comes
 * from a program that never loaded this library.
 *
 * What is not seen. The loader's own search happens before us. It needs no record: each object
 * that it found is recorded at the start of each process (one outside ROOT is a B), the order of
 * its folders was computed by the caller from what its own loader does, and an object that is
 * missing ends the process before it can make any result. Likewise libc's locale, iconv, time
 * zone and user data are read by libc alone (the runtime points LOCPATH, GCONV_PATH and TZDIR
 * into ROOT), and catalogs of messages are known by name only (bindtextdomain).
 *
 * What makes it blind, and is recorded as B: a program that the loader does not load it into
 * (statically linked, setuid, of the other word size), fts(3), chroot(2), sockets, and system
 * calls by number that take paths and are not in the table below. Inlined system calls cannot be
 * seen at all.
 *
 * Rules of this code. gcc's driver calls exec in a vfork()ed child, which shares our memory:
 * nothing there allocates, and statics only ever gain facts that hold for the parent, too. errno
 * is that of the call. 64-bit Linux only: struct stat is the kernel's.
 */
#undef __OPTIMIZE__ /* older headers define stat() and others inline */
#undef _FORTIFY_SOURCE
#undef _FILE_OFFSET_BITS
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <grp.h>
#include <iconv.h>
#include <libintl.h>
#include <limits.h>
#include <link.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <utime.h>

#ifndef SYS_newfstatat
#define SYS_newfstatat SYS_fstatat
#endif

/* The function that would have been called without us; found at the first call. */
#define NEXT(F)                                                                                    \
  ({                                                                                               \
    static void *next_;                                                                            \
    if (!next_) next_ = next(#F);                                                                  \
    (__typeof__(&F))next_;                                                                         \
  })

static long missing(void) {
  errno = ENOSYS;
  return -1;
}

static void *next(const char *name) {
  void *found = dlsym(RTLD_NEXT, name);
  return found ? found : (void *)missing;
}

#define sys(...) NEXT(syscall)(__VA_ARGS__)

/* ---- The environment ------------------------------------------------------------------------ */

enum { ROOT, LOG, IMAGE, PRELOAD, LIBRARIES, VARIABLES };

/* What a process must find in its environment, copied: a program may overwrite its own. */
static struct {
  const char *name;
  size_t length;
  char *entry;
} variables[VARIABLES] = {
    [ROOT] = {"LLAMA_SHIM_ROOT=", 16, NULL},
    [LOG] = {"LLAMA_SHIM_LOG=", 15, NULL},
    [IMAGE] = {"LLAMA_SHIM_IMAGE=", 17, NULL},
    [PRELOAD] = {"LD_PRELOAD=", 11, NULL},
    [LIBRARIES] = {"LD_LIBRARY_PATH=", 16, NULL},
};

static int started;
static const char *root = "";
static size_t root_length; /* 0: there is no root, every call passes as it is */
static const char *log_path;

/* getenv() without libc's: programs such as bash define their own, which is not ready yet. */
static char *variable(char *const *env, const char *name, size_t length) {
  for (; env && *env; env++)
    if (!strncmp(*env, name, length)) return *env;
  return NULL;
}

static const char *value_of(const char *name, size_t length, const char *otherwise) {
  const char *entry = variable(environ, name, length);
  return entry && entry[length] ? entry + length : otherwise;
}
#define VALUE(NAME, OTHERWISE) value_of(NAME "=", sizeof NAME, OTHERWISE)

static void start(void) {
  if (!environ || __atomic_exchange_n(&started, 1, __ATOMIC_ACQ_REL)) return;
  int saved = errno;
  size_t need = 0;
  char *found[VARIABLES], *copy;
  for (int i = 0; i < VARIABLES; i++)
    if ((found[i] = variable(environ, variables[i].name, variables[i].length)))
      need += strlen(found[i]) + 1;
  copy = found[ROOT] ? mmap(NULL, need, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
                     : MAP_FAILED;
  if (copy != MAP_FAILED) {
    for (int i = 0; i < VARIABLES; i++) {
      if (!found[i]) continue;
      variables[i].entry = strcpy(copy, found[i]);
      copy += strlen(copy) + 1;
    }
    root = variables[ROOT].entry + variables[ROOT].length;
    size_t length = strlen(root);
    while (length && root[length - 1] == '/') length--;
    if (*root == '/' && length < PATH_MAX / 2) root_length = length;
    const char *log = variables[LOG].entry;
    if (root_length && log) log_path = log + variables[LOG].length;
  }
  errno = saved;
}

static int active(void) {
  if (__builtin_expect(!started, 0)) start();
  return root_length != 0;
}

/* ---- Recording ------------------------------------------------------------------------------ */

/* Hashes of what is on record; when it is full, findings are recorded more than once. */
static uint64_t seen[1 << 14];

/* Whether a finding is not in the set yet; it is added if `add`. */
static int is_new(char letter, const char *text, int add) {
  uint64_t hash = 0xcbf29ce484222325u ^ (unsigned char)letter; /* FNV-1a */
  do hash = (hash ^ (unsigned char)*text) * 0x100000001b3u;
  while (*text++);
  hash |= !hash;
  const size_t mask = sizeof seen / sizeof *seen - 1;
  for (size_t i = hash ^ hash >> 32, tries = 0; tries < 64; i++, tries++) {
    uint64_t there = __atomic_load_n(&seen[i & mask], __ATOMIC_RELAXED);
    if (!there && !add) return 1;
    if (!there && __atomic_compare_exchange_n(&seen[i & mask], &there, hash, 0, __ATOMIC_RELAXED,
                                              __ATOMIC_RELAXED))
      return 1;
    if (there == hash) return 0;
  }
  return 1;
}

/*
 * The log, open at a number that programs do not come by. It is the log only as long as it is the
 * same file: a vforked child has set `fd` for its parent, or a program has closed all that it sees.
 */
static int log_descriptor(void) {
  static int fd = -1;
  static dev_t dev;
  static ino_t ino;
  struct stat st;
  int mine = __atomic_load_n(&fd, __ATOMIC_ACQUIRE), high = -1;
  if (mine >= 0 && !sys(SYS_fstat, mine, &st) && st.st_ino == ino && st.st_dev == dev) return mine;
  mine = sys(SYS_openat, AT_FDCWD, log_path, O_WRONLY | O_APPEND | O_CLOEXEC, 0);
  if (mine < 0 || sys(SYS_fstat, mine, &st)) return -1;
  for (int least = 900; high < 0 && least > 20; least /= 3)
    high = sys(SYS_fcntl, mine, F_DUPFD_CLOEXEC, least);
  if (high >= 0) {
    sys(SYS_close, mine);
    mine = high;
  }
  dev = st.st_dev;
  ino = st.st_ino;
  __atomic_store_n(&fd, mine, __ATOMIC_RELEASE);
  return mine;
}

static void record(char letter, const char *text) {
  size_t length = strlen(text);
  if (!log_path || length > 3 * PATH_MAX || !is_new(letter, text, 1)) return;
  int saved = errno;
  char line[length + 2];
  line[0] = letter;
  memcpy(line + 1, text, length + 1);
  int fd = log_descriptor();
  if (fd < 0 || sys(SYS_write, fd, line, length + 2) != (long)length + 2)
    sys(SYS_kill, sys(SYS_getpid), SIGKILL);
  errno = saved;
}

static void blind(const char *reason, const char *subject) {
  char text[2 * PATH_MAX];
  if (subject) {
    snprintf(text, sizeof text, "%s \"%s\"", reason, subject);
    reason = text;
  }
  if (active()) record('B', reason);
}

/* ---- Names ---------------------------------------------------------------------------------- */

static int starts(const char *path, const char *folder, size_t length) {
  return !strncmp(path, folder, length) && (!path[length] || path[length] == '/');
}

/* An absolute path without ROOT, as the program is to see it. */
static const char *logical(const char *path) {
  if (root_length && starts(path, root, root_length)) path += root_length;
  else if (*path != '/') return path;
  while (path[0] == '/' && path[1] == '/') path++;
  return *path ? path : "/";
}

static int is_system(const char *path) {
  return starts(path, "/dev", 4) || starts(path, "/proc", 5) || starts(path, "/sys", 4);
}

/* Whether an image may have a say in `path`, absolute: the folders of its system. */
static int is_of_system(const char *path) {
  static const char *const folders[] = {"/usr", "/lib", "/lib64", "/lib32", "/libx32",
                                        "/bin", "/sbin", "/etc", "/opt"};
  if (!variables[IMAGE].entry || *path != '/') return 0;
  path += strspn(path, "/") - 1;
  for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
    if (starts(path, folders[i], strlen(folders[i]))) return 1;
  return 0;
}

/* The end of the last `..` component of `path`, or NULL. */
static const char *last_dotdot(const char *path) {
  const char *end = NULL;
  for (const char *p = path; (p = strstr(p, "..")); p += 2)
    if ((p == path || p[-1] == '/') && (!p[2] || p[2] == '/')) end = p + 2;
  return end;
}

/* `path`, absolute, without `.` and `..`, by text alone. */
static void fold(char *out, const char *path) {
  char *end = out;
  for (size_t n; path += strspn(path, "/"), (n = strcspn(path, "/")); path += n) {
    if (n == 1 && path[0] == '.') continue;
    if (n == 2 && path[0] == '.' && path[1] == '.') {
      while (end > out && *--end != '/') continue;
      continue;
    }
    *end++ = '/';
    end = (char *)memcpy(end, path, n) + n;
  }
  strcpy(end, end == out ? "/" : "");
}

/* The folder that a relative path begins in, as the kernel spells it; `out` has PATH_MAX bytes. */
static int folder(int dir, char *out) {
  char link[32];
  if (dir == AT_FDCWD) return sys(SYS_getcwd, out, PATH_MAX) > 0 && *out == '/';
  snprintf(link, sizeof link, "/proc/self/fd/%d", dir);
  long n = sys(SYS_readlinkat, AT_FDCWD, link, out, PATH_MAX - 1);
  out[n > 0 ? n : 0] = 0;
  return *out == '/';
}

enum kind {
  LOOK,   /* it must be there */
  LIST,   /* a folder, to be listed */
  MAKE,   /* a name to be created */
  CREATE, /* a file to be opened, or created if it is not there */
  MOVE,   /* one of two paths: which of them failed is to be found out */
};

/* One name on its way through a call. */
struct look {
  const char *spelled; /* what to record; NULL for nothing */
  const char *real;    /* what the kernel gets */
  int dir;
  enum kind kind;
  int existed;
  int of_image;
  char text[PATH_MAX];
};

static int is_there(int dir, const char *real) {
  struct stat st;
  return !sys(SYS_newfstatat, dir, real, &st, AT_SYMLINK_NOFOLLOW);
}

/*
 * Walks `path` (whose last `..` ends at `end`) component by component, as far as that, and tells
 * whether it climbs above ROOT on the way; if so, look->text is where a chroot would arrive. A
 * beginning that was found harmless is not walked again.
 */
static __attribute__((noinline)) int clamp(struct look *look, const char *path, const char *end) {
  char real[PATH_MAX], todo[2 * PATH_MAX], link[PATH_MAX], beginning[2 * PATH_MAX];
  size_t rest = strlen(end), length = strlen(path), n;
  int climbed = 0, links = 0;
  char *p = todo;
  if (*path == '/') strcpy(real, root), real[root_length] = 0;
  else if (!folder(look->dir, real) || !starts(real, root, root_length)) return 0;
  if (length >= PATH_MAX) return 0;
  snprintf(beginning, sizeof beginning, "%s/%.*s", real, (int)(end - path), path);
  if (!is_new('.', beginning, 0)) return 0;
  strcpy(todo, path);
  while (p += strspn(p, "/"), strlen(p) > rest) {
    char *name = p;
    size_t at = strlen(real);
    p += n = strcspn(p, "/");
    if (n == 1 && *name == '.') continue;
    if (n == 2 && name[0] == '.' && name[1] == '.') {
      if (at <= root_length) climbed = 1;
      else *strrchr(real, '/') = 0;
      continue;
    }
    if (at + n + 1 >= PATH_MAX) return 0;
    real[at] = '/';
    memcpy(real + at + 1, name, n);
    real[at + 1 + n] = 0;
    long got = sys(SYS_readlinkat, AT_FDCWD, real, link, sizeof link - 1);
    if (got < 0 && errno == EINVAL) continue;
    if (got < 0) {
      if (!climbed) return 0;
      break;
    }
    if (++links > 40 || got + strlen(p) >= PATH_MAX) return 0;
    link[got] = 0;
    memmove(todo + got, p, strlen(p) + 1);
    memcpy(todo, link, got);
    p = todo;
    real[*link == '/' ? root_length : at] = 0;
    if (starts(link, root, root_length)) p += root_length;
  }
  if (!climbed) {
    is_new('.', beginning, 1);
    return 0;
  }
  if ((n = strlen(real)) + strlen(p) + 2 > PATH_MAX) return 0;
  real[n] = '/';
  strcpy(real + n + 1, p);
  strcpy(look->text, real);
  return 1;
}

/*
 * Whether what is read below /dev, /proc or /sys tells nothing but how much of what the machine has, which programs
 * and their allocators ask to work faster. All else may come to stand in an output: standard input by any of its
 * names, the environment, the name of the kernel.
 */
static int is_harmless(const char *path) {
  static const char *const exact[] = {"/dev", "/proc", "/sys", "/dev/null", "/dev/zero", "/dev/full", "/dev/random",
                                      "/dev/urandom", "/dev/tty", "/proc/self", "/proc/cpuinfo", "/proc/meminfo",
                                      "/proc/stat", "/proc/self/exe", "/proc/self/fd", "/proc/self/maps",
                                      "/proc/self/stat", "/proc/self/statm", "/proc/self/status"};
  static const char *const below[] = {"/sys/devices/system", "/sys/kernel/mm", "/sys/fs/cgroup", "/proc/sys/vm"};
  for (size_t i = 0; i < sizeof exact / sizeof *exact; i++)
    if (!strcmp(path, exact[i])) return 1;
  for (size_t i = 0; i < sizeof below / sizeof *below; i++)
    if (starts(path, below[i], strlen(below[i]))) return 1;
  /* An open file of its own, which was recorded when it was opened. */
  return !strncmp(path, "/proc/self/fd/", 14) && atoi(path + 14) > 2;
}

/* Records what is read of the machine itself, if it is there. */
static void note_system(int dir, const char *path, enum kind kind) {
  int saved = errno;
  if (log_path && (kind == LOOK || kind == LIST) && !is_harmless(path) && is_there(dir, path)) record('O', path);
  errno = saved;
}

/* Puts the kernel's name for *path in its place; 0 if the call must fail, with errno set. */
static int enter(struct look *look, int dir, const char **path, enum kind kind) {
  look->spelled = NULL;
  look->dir = dir;
  look->kind = kind;
  look->of_image = 0;
  if (!active() || !*path || !**path) return 1;
  int saved = errno;
  const char *given = logical(*path), *end = last_dotdot(given);
  if (*given == '/') {
    size_t length = strlen(given);
    if (is_system(given) && !end) {
      note_system(dir, given, kind);
      *path = given;
      return 1;
    }
    if (root_length + length >= PATH_MAX) {
      look->spelled = given;
      errno = ENAMETOOLONG;
      return 0;
    }
    char *below = look->text + root_length;
    if (is_system(given)) {
      fold(below, given);
      end = NULL;
    } else {
      memcpy(below, given, length + 1);
    }
    if (is_system(below)) {
      note_system(dir, below, kind);
      *path = below;
      return 1;
    }
    *path = memcpy(look->text, root, root_length);
  }
  if (end && clamp(look, given, end)) *path = look->text;
  if ((kind == LOOK || kind == LIST) && is_of_system(given) &&
      (kind == LIST || !is_there(dir, *path)) && is_there(AT_FDCWD, given)) {
    look->of_image = 1;
    *path = given;
  }
  look->spelled = given;
  look->real = *path;
  look->existed = kind == CREATE && log_path && is_there(dir, *path);
  errno = saved;
  return 1;
}

static void look_up(const char *path);

/* What could not be created says more by its folder than by itself. */
static void look_up_parent(const char *path) {
  char parent[PATH_MAX];
  size_t length = strlen(path);
  while (length > 1 && path[length - 1] == '/') length--;
  while (length && path[length - 1] != '/') length--;
  if (!length || length >= sizeof parent) return;
  memcpy(parent, path, length);
  parent[length] = 0;
  look_up(parent);
}

/* Records a name by the outcome of its call, which left errno. */
static void leave(const struct look *look, int ok) {
  if (!log_path || !look->spelled) return;
  int saved = errno;
  char letter = 'O', path[2 * PATH_MAX];
  if (look->of_image) {
    letter = 'I';
  } else if (ok) {
    if (look->kind == MAKE || (look->kind == CREATE && !look->existed)) letter = '+';
    if (look->kind == LIST) letter = 'L';
  } else if (saved == ENAMETOOLONG) {
    letter = 'A';
  } else if (look->kind == MAKE || look->kind == MOVE || saved == ENOTDIR) {
    letter = is_there(look->dir, look->real) ? 'O' : 'A';
  } else {
    switch (saved) {
      case ENOENT: letter = 'A'; break;
      case EBADF: case EFAULT: case EINTR: case EMFILE: case ENFILE: case ENOMEM: case ENOSYS:
        return;
    }
  }
  const char *name = look->spelled;
  if (*name != '/') {
    if (strlen(name) >= PATH_MAX || !folder(look->dir, path)) name = NULL;
    else name = logical(strcat(strcat(path, "/"), name));
  }
  if (name && letter == '+') is_new('+', name, 1);
  else if (name && (letter != 'O' || is_new('+', name, 0))) record(letter, name);
  if (name && letter == 'A' && (look->kind == MAKE || look->kind == CREATE)) look_up_parent(name);
  errno = saved;
}

/* A name that libc, or the kernel, is going to look up by itself. */
static void look_up(const char *path) {
  struct look look;
  if (!log_path || !active()) return;
  int saved = errno, ok = enter(&look, AT_FDCWD, &path, LOOK) && is_there(AT_FDCWD, path);
  leave(&look, ok);
  errno = saved;
}

static void list_descriptor(int fd) {
  char path[PATH_MAX];
  int saved = errno;
  if (active() && log_path && folder(fd, path)) record('L', logical(path));
  errno = saved;
}

/* ---- Calls with one name, or two ------------------------------------------------------------ */

#define CALL(TYPE, FAILED, DIR, KIND, F, PARAMETERS, ...)                                          \
  TYPE F PARAMETERS {                                                                              \
    struct look look;                                                                              \
    TYPE result = FAILED;                                                                          \
    if (enter(&look, DIR, &path, KIND)) result = NEXT(F)(__VA_ARGS__);                             \
    leave(&look, result != FAILED);                                                                \
    return result;                                                                                 \
  }
#define PATH(KIND, F, PARAMETERS, ...)                                                             \
  CALL(int, -1, AT_FDCWD, KIND, F, PARAMETERS, __VA_ARGS__)
#define PATH_AT(KIND, F, PARAMETERS, ...) CALL(int, -1, dir, KIND, F, PARAMETERS, __VA_ARGS__)
#define TWO(FROM_DIR, TO_DIR, F, PARAMETERS, ...)                                                  \
  int F PARAMETERS {                                                                               \
    struct look a, b;                                                                              \
    int result = -1;                                                                               \
    if (enter(&a, FROM_DIR, &from, MOVE) & enter(&b, TO_DIR, &to, MAKE))                           \
      result = NEXT(F)(__VA_ARGS__);                                                               \
    leave(&a, !result);                                                                            \
    leave(&b, !result);                                                                            \
    return result;                                                                                 \
  }

PATH(LOOK, access, (const char *path, int mode), path, mode)
PATH(LOOK, eaccess, (const char *path, int mode), path, mode)
PATH(LOOK, euidaccess, (const char *path, int mode), path, mode)
PATH_AT(LOOK, faccessat, (int dir, const char *path, int mode, int flags), dir, path, mode, flags)
PATH(LOOK, chdir, (const char *path), path)
PATH(LOOK, rmdir, (const char *path), path)
PATH(LOOK, unlink, (const char *path), path)
PATH_AT(LOOK, unlinkat, (int dir, const char *path, int flags), dir, path, flags)
PATH(LOOK, remove, (const char *path), path)
PATH(LOOK, chmod, (const char *path, mode_t mode), path, mode)
PATH(LOOK, lchmod, (const char *path, mode_t mode), path, mode)
PATH_AT(LOOK, fchmodat, (int dir, const char *path, mode_t mode, int flags), dir, path, mode, flags)
PATH(LOOK, chown, (const char *path, uid_t user, gid_t group), path, user, group)
PATH(LOOK, lchown, (const char *path, uid_t user, gid_t group), path, user, group)
PATH_AT(LOOK, fchownat, (int dir, const char *path, uid_t user, gid_t group, int flags), dir, path,
        user, group, flags)
PATH(LOOK, truncate, (const char *path, off_t length), path, length)
PATH(LOOK, utime, (const char *path, const struct utimbuf *times), path, times)
PATH(LOOK, utimes, (const char *path, const struct timeval times[2]), path, times)
PATH(LOOK, lutimes, (const char *path, const struct timeval times[2]), path, times)
PATH_AT(LOOK, futimesat, (int dir, const char *path, const struct timeval times[2]), dir, path,
        times)
PATH_AT(LOOK, utimensat, (int dir, const char *path, const struct timespec times[2], int flags),
        dir, path, times, flags)
PATH(LOOK, statfs, (const char *path, struct statfs *answer), path, answer)
PATH(LOOK, statvfs, (const char *path, struct statvfs *answer), path, answer)
CALL(long, -1, AT_FDCWD, MOVE, pathconf, (const char *path, int name), path, name)
PATH(LOOK, inotify_add_watch, (int fd, const char *path, uint32_t mask), fd, path, mask)
CALL(ssize_t, -1, AT_FDCWD, LOOK, getxattr,
     (const char *path, const char *name, void *value, size_t size), path, name, value, size)
CALL(ssize_t, -1, AT_FDCWD, LOOK, lgetxattr,
     (const char *path, const char *name, void *value, size_t size), path, name, value, size)
CALL(ssize_t, -1, AT_FDCWD, LOOK, listxattr, (const char *path, char *list, size_t size), path,
     list, size)
CALL(ssize_t, -1, AT_FDCWD, LOOK, llistxattr, (const char *path, char *list, size_t size), path,
     list, size)
PATH(LOOK, setxattr,
     (const char *path, const char *name, const void *value, size_t size, int flags), path, name,
     value, size, flags)
PATH(LOOK, lsetxattr,
     (const char *path, const char *name, const void *value, size_t size, int flags), path, name,
     value, size, flags)
PATH(LOOK, removexattr, (const char *path, const char *name), path, name)
PATH(LOOK, lremovexattr, (const char *path, const char *name), path, name)
PATH(MAKE, mkdir, (const char *path, mode_t mode), path, mode)
PATH_AT(MAKE, mkdirat, (int dir, const char *path, mode_t mode), dir, path, mode)
PATH(MAKE, mkfifo, (const char *path, mode_t mode), path, mode)
PATH_AT(MAKE, mkfifoat, (int dir, const char *path, mode_t mode), dir, path, mode)
PATH(CREATE, creat, (const char *path, mode_t mode), path, mode)
CALL(DIR *, NULL, AT_FDCWD, LIST, opendir, (const char *path), path)
PATH(LIST, scandir,
     (const char *path, struct dirent ***list, int (*choose)(const struct dirent *),
      int (*compare)(const struct dirent **, const struct dirent **)),
     path, list, choose, compare)

TWO(AT_FDCWD, AT_FDCWD, rename, (const char *from, const char *to), from, to)
TWO(from_dir, to_dir, renameat, (int from_dir, const char *from, int to_dir, const char *to),
    from_dir, from, to_dir, to)
TWO(from_dir, to_dir, renameat2,
    (int from_dir, const char *from, int to_dir, const char *to, unsigned flags), from_dir, from,
    to_dir, to, flags)
TWO(AT_FDCWD, AT_FDCWD, link, (const char *from, const char *to), from, to)
TWO(from_dir, to_dir, linkat,
    (int from_dir, const char *from, int to_dir, const char *to, int flags), from_dir, from,
    to_dir, to, flags)

#ifdef __GLIBC__
PATH(CREATE, creat64, (const char *path, mode_t mode), path, mode)
PATH(LOOK, truncate64, (const char *path, off64_t length), path, length)
PATH(LOOK, statfs64, (const char *path, struct statfs64 *answer), path, answer)
PATH(LOOK, statvfs64, (const char *path, struct statvfs64 *answer), path, answer)
PATH(LIST, scandir64,
     (const char *path, struct dirent64 ***list, int (*choose)(const struct dirent64 *),
      int (*compare)(const struct dirent64 **, const struct dirent64 **)),
     path, list, choose, compare)
PATH_AT(LIST, scandirat,
        (int dir, const char *path, struct dirent ***list, int (*choose)(const struct dirent *),
         int (*compare)(const struct dirent **, const struct dirent **)),
        dir, path, list, choose, compare)
PATH_AT(LIST, scandirat64,
        (int dir, const char *path, struct dirent64 ***list, int (*choose)(const struct dirent64 *),
         int (*compare)(const struct dirent64 **, const struct dirent64 **)),
        dir, path, list, choose, compare)
#endif

DIR *fdopendir(int fd) {
  DIR *result = NEXT(fdopendir)(fd);
  if (result) list_descriptor(fd);
  return result;
}

#ifdef __GLIBC__
ssize_t getdents64(int fd, void *entries, size_t size) {
  list_descriptor(fd);
  return sys(SYS_getdents64, fd, entries, size);
}
#endif

/* ---- The order of folders ------------------------------------------------------------------- */

/*
 * A folder is listed in the order of its file system, which decides what an archive is made of.
 * LLAMA_SHIM_ORDER names a file with the caller's order: for each folder its path, the names in it
 * and an empty one, each with a NUL behind it. `.` and `..` come first, and names that the job has
 * made last. scandir(3), fts(3) and readdir_r(3) read within libc: they see the worker's order.
 */
static struct listing {
  DIR *dir;
  struct listing *more;
  struct ranked {
    struct dirent *entry;
    size_t rank;
  } *entries; /* NULL: no order is known, and libc lists the folder */
  size_t count, at;
} *listings;
static int listings_locked;

static void lock_listings(void) {
  while (__atomic_exchange_n(&listings_locked, 1, __ATOMIC_ACQUIRE)) sched_yield();
}

static void unlock_listings(void) { __atomic_store_n(&listings_locked, 0, __ATOMIC_RELEASE); }

static const char *orders, *orders_end;

/* Whether there are orders; they are read once. */
static int has_orders(void) {
  static int known;
  int mine = __atomic_load_n(&known, __ATOMIC_ACQUIRE);
  if (mine || !active()) return mine > 0;
  const char *name = VALUE("LLAMA_SHIM_ORDER", NULL);
  char path[2 * PATH_MAX];
  struct stat file;
  void *text = MAP_FAILED;
  int fd = -1;
  if (name && strlen(name) < PATH_MAX) {
    snprintf(path, sizeof path, "%s%s", root, name);
    fd = sys(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
  }
  if (fd >= 0 && sys(SYS_newfstatat, fd, "", &file, AT_EMPTY_PATH) == 0 && file.st_size > 0)
    text = mmap(NULL, file.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
  if (fd >= 0) sys(SYS_close, fd);
  if (text != MAP_FAILED && !((char *)text)[file.st_size - 1]) {
    orders = text;
    orders_end = orders + file.st_size;
  }
  __atomic_store_n(&known, orders ? 1 : -1, __ATOMIC_RELEASE);
  return orders != NULL;
}

/* The names of a folder in their order, up to an empty one; NULL if they are not known. */
static const char *order_of(const char *path) {
  for (const char *at = orders; at < orders_end; at++) {
    const char *names = at + strlen(at) + 1;
    if (!strcmp(at, path)) return names;
    for (at = names; at < orders_end && *at; at += strlen(at) + 1) continue;
  }
  return NULL;
}

static int by_name(const void *one, const void *other) {
  return strcmp(((const struct ranked *)one)->entry->d_name,
                ((const struct ranked *)other)->entry->d_name);
}

static int by_rank(const void *one, const void *other) {
  size_t a = ((const struct ranked *)one)->rank, b = ((const struct ranked *)other)->rank;
  return a < b ? -1 : a > b;
}

static void free_entries(struct listing *list) {
  for (size_t i = 0; i < list->count; i++) free(list->entries[i].entry);
  free(list->entries);
  list->entries = NULL;
  list->count = list->at = 0;
}

/* Reads a folder to its end; 0 if there is no memory for that. */
static int read_entries(struct listing *list, const char *order) {
  size_t room = 0, last = orders_end - orders;
  for (struct dirent *entry; (entry = NEXT(readdir)(list->dir)); list->count++) {
    if (list->count == room) {
      struct ranked *more = realloc(list->entries, (room = 2 * room + 64) * sizeof *more);
      if (!more) return 0;
      list->entries = more;
    }
    struct dirent *copy = malloc(entry->d_reclen);
    if (!copy) return 0;
    memcpy(copy, entry, entry->d_reclen);
    const char *name = copy->d_name;
    size_t rank = !strcmp(name, ".") ? 0 : !strcmp(name, "..") ? 1 : last + list->count;
    list->entries[list->count] = (struct ranked){copy, rank};
  }
  qsort(list->entries, list->count, sizeof *list->entries, by_name);
  size_t rank = 2;
  for (; order < orders_end && *order; order += strlen(order) + 1, rank++) {
    size_t low = 0, high = list->count;
    while (low < high) {
      size_t middle = (low + high) / 2;
      int than = strcmp(list->entries[middle].entry->d_name, order);
      if (!than) list->entries[middle].rank = rank;
      if (!than) break;
      if (than < 0) low = middle + 1;
      else high = middle;
    }
  }
  qsort(list->entries, list->count, sizeof *list->entries, by_rank);
  return 1;
}

/* The listing of a folder whose order is known; `fresh` begins it where there is none. */
static struct listing *listing_of(DIR *dir, int fresh) {
  if (!dir || !has_orders()) return NULL;
  int saved = errno;
  lock_listings();
  struct listing *list = listings;
  while (list && list->dir != dir) list = list->more;
  if (!list && fresh && (list = calloc(1, sizeof *list))) {
    *list = (struct listing){dir, listings, NULL, 0, 0};
    listings = list;
    char path[PATH_MAX];
    const char *order = folder(dirfd(dir), path) ? order_of(logical(path)) : NULL;
    if (order && !read_entries(list, order)) {
      free_entries(list);
      NEXT(rewinddir)(dir);
    }
  }
  unlock_listings();
  errno = saved;
  return list && list->entries ? list : NULL;
}

static void forget_listing(DIR *dir) {
  if (!dir || !has_orders()) return;
  lock_listings();
  for (struct listing **at = &listings; *at; at = &(*at)->more) {
    struct listing *list = *at;
    if (list->dir != dir) continue;
    *at = list->more;
    free_entries(list);
    free(list);
    break;
  }
  unlock_listings();
}

static struct dirent *next_entry(struct listing *list) {
  return list->at < list->count ? list->entries[list->at++].entry : NULL;
}

struct dirent *readdir(DIR *dir) {
  struct listing *list = listing_of(dir, 1);
  return list ? next_entry(list) : NEXT(readdir)(dir);
}

#ifdef __GLIBC__
struct dirent64 *readdir64(DIR *dir) {
  struct listing *list = listing_of(dir, 1);
  /* The two are one on 64 bits. */
  return list ? (struct dirent64 *)(void *)next_entry(list) : NEXT(readdir64)(dir);
}
#endif

void rewinddir(DIR *dir) {
  forget_listing(dir);
  NEXT(rewinddir)(dir);
}

int closedir(DIR *dir) {
  forget_listing(dir);
  return NEXT(closedir)(dir);
}

long telldir(DIR *dir) {
  struct listing *list = listing_of(dir, 0);
  return list ? (long)list->at : NEXT(telldir)(dir);
}

void seekdir(DIR *dir, long at) {
  struct listing *list = listing_of(dir, 0);
  if (list) list->at = at;
  else NEXT(seekdir)(dir, at);
}

/* ---- Opening -------------------------------------------------------------------------------- */

static enum kind opening(int flags) { return flags & O_CREAT ? CREATE : LOOK; }

static enum kind opening_stream(const char *mode) { return *mode == 'r' ? LOOK : CREATE; }

#define OPEN(F, DIR, PARAMETERS, ...)                                                              \
  int F PARAMETERS {                                                                               \
    mode_t mode = 0;                                                                               \
    if (flags & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY))) {                                          \
      va_list rest;                                                                                \
      va_start(rest, flags);                                                                       \
      mode = va_arg(rest, mode_t);                                                                 \
      va_end(rest);                                                                                \
    }                                                                                              \
    struct look look;                                                                              \
    int result = -1;                                                                               \
    if (enter(&look, DIR, &path, opening(flags))) result = NEXT(F)(__VA_ARGS__);                   \
    leave(&look, result >= 0);                                                                     \
    return result;                                                                                 \
  }
#define FOPEN(F)                                                                                   \
  CALL(FILE *, NULL, AT_FDCWD, opening_stream(mode), F, (const char *path, const char *mode),      \
       path, mode)
#define FREOPEN(F)                                                                                 \
  CALL(FILE *, NULL, AT_FDCWD, opening_stream(mode), F,                                            \
       (const char *path, const char *mode, FILE *stream), path, mode, stream)

OPEN(open, AT_FDCWD, (const char *path, int flags, ...), path, flags, mode)
OPEN(openat, dir, (int dir, const char *path, int flags, ...), dir, path, flags, mode)
FOPEN(fopen)
FREOPEN(freopen)
#ifdef __GLIBC__
OPEN(open64, AT_FDCWD, (const char *path, int flags, ...), path, flags, mode)
OPEN(openat64, dir, (int dir, const char *path, int flags, ...), dir, path, flags, mode)
FOPEN(fopen64)
FREOPEN(freopen64)
int __open_2(const char *path, int flags) { return open(path, flags); }
int __open64_2(const char *path, int flags) { return open(path, flags); }
int __openat_2(int dir, const char *path, int flags) { return openat(dir, path, flags); }
int __openat64_2(int dir, const char *path, int flags) { return openat(dir, path, flags); }
#endif

/* ---- State ---------------------------------------------------------------------------------- */

/* How much longer the kernel's text of a link is than what readlink() tells of it. */
static size_t link_excess(int dir, const char *path) {
  char link[PATH_MAX];
  int saved = errno;
  long n = active() ? sys(SYS_readlinkat, dir, path, link, sizeof link - 1) : 0;
  errno = saved;
  link[n > 0 ? n : 0] = 0;
  return *link == '/' ? logical(link) - link : 0;
}

/*
 * A job's files belong to the worker's user. LLAMA_SHIM_OWNER, `UID:GID:USER:GROUP`, shows them as the
 * caller's, whose names the worker does not know.
 */
static struct {
  uid_t user;
  gid_t group;
  char user_name[64], group_name[64];
} owner;

static int has_owner(void) {
  static int known;
  if (known || !active()) return known > 0;
  const char *value = VALUE("LLAMA_SHIM_OWNER", "");
  int got = sscanf(value, "%u:%u:%63[^:]:%63[^:]", &owner.user, &owner.group, owner.user_name,
                   owner.group_name);
  known = got >= 2 ? 1 : -1;
  return known > 0;
}

static void show_owner(uid_t *user, gid_t *group) {
  int saved = errno;
  if (has_owner()) {
    if (*user == (uid_t)sys(SYS_geteuid)) *user = owner.user;
    if (*group == (gid_t)sys(SYS_getegid)) *group = owner.group;
  }
  errno = saved;
}

/* All that libc calls stat are this system call; glibc < 2.33 spells them __xstat and so on. */
static int stat_at(int dir, const char *path, struct stat *answer, int flags) {
  struct look look;
  int result = -1;
  if (enter(&look, dir, &path, LOOK)) result = sys(SYS_newfstatat, dir, path, answer, flags);
  leave(&look, !result);
  if (!result && S_ISLNK(answer->st_mode)) answer->st_size -= link_excess(dir, path);
  if (!result) show_owner(&answer->st_uid, &answer->st_gid);
  return result;
}

static int stat_fd(int fd, struct stat *answer) {
  int result = sys(SYS_fstat, fd, answer);
  if (!result) show_owner(&answer->st_uid, &answer->st_gid);
  return result;
}

int fstat(int fd, struct stat *answer) { return stat_fd(fd, answer); }

#define STAT(F, TYPE, FLAGS)                                                                       \
  int F(const char *path, TYPE *answer) {                                                          \
    return stat_at(AT_FDCWD, path, (struct stat *)answer, FLAGS);                                  \
  }
#define STAT_AT(F, TYPE)                                                                           \
  int F(int dir, const char *path, TYPE *answer, int flags) {                                      \
    return stat_at(dir, path, (struct stat *)answer, flags);                                       \
  }
STAT(stat, struct stat, 0)
STAT(lstat, struct stat, AT_SYMLINK_NOFOLLOW)
STAT_AT(fstatat, struct stat)
#ifdef __GLIBC__
STAT(stat64, struct stat64, 0)
STAT(lstat64, struct stat64, AT_SYMLINK_NOFOLLOW)
STAT_AT(fstatat64, struct stat64)
#define XSTAT(F, TYPE, FLAGS)                                                                      \
  int F(int version, const char *path, TYPE *answer) {                                             \
    (void)version;                                                                                 \
    return stat_at(AT_FDCWD, path, (struct stat *)answer, FLAGS);                                  \
  }
#define XSTAT_AT(F, TYPE)                                                                          \
  int F(int version, int dir, const char *path, TYPE *answer, int flags) {                         \
    (void)version;                                                                                 \
    return stat_at(dir, path, (struct stat *)answer, flags);                                       \
  }
XSTAT(__xstat, struct stat, 0)
XSTAT(__xstat64, struct stat64, 0)
XSTAT(__lxstat, struct stat, AT_SYMLINK_NOFOLLOW)
XSTAT(__lxstat64, struct stat64, AT_SYMLINK_NOFOLLOW)
XSTAT_AT(__fxstatat, struct stat)
XSTAT_AT(__fxstatat64, struct stat64)
int fstat64(int fd, struct stat64 *answer) { return stat_fd(fd, (struct stat *)answer); }
int __fxstat(int version, int fd, struct stat *answer) { return (void)version, fstat(fd, answer); }
int __fxstat64(int version, int fd, struct stat64 *answer) {
  return (void)version, stat_fd(fd, (struct stat *)answer);
}
#endif

static struct passwd *user_entry(struct passwd *entry) {
  memset(entry, 0, sizeof *entry);
  entry->pw_name = owner.user_name;
  entry->pw_uid = owner.user;
  entry->pw_gid = owner.group;
  entry->pw_passwd = entry->pw_gecos = (char *)"";
  entry->pw_dir = entry->pw_shell = (char *)"/";
  return entry;
}

static struct group *group_entry(struct group *entry) {
  static char *nobody[] = {NULL};
  entry->gr_name = owner.group_name;
  entry->gr_passwd = (char *)"";
  entry->gr_gid = owner.group;
  entry->gr_mem = nobody;
  return entry;
}

static int is_user(uid_t user) { return has_owner() && *owner.user_name && user == owner.user; }
static int is_group(gid_t group) { return has_owner() && *owner.group_name && group == owner.group; }

struct passwd *getpwuid(uid_t user) {
  static struct passwd entry;
  return is_user(user) ? user_entry(&entry) : NEXT(getpwuid)(user);
}

int getpwuid_r(uid_t user, struct passwd *entry, char *text, size_t size, struct passwd **found) {
  if (!is_user(user)) return NEXT(getpwuid_r)(user, entry, text, size, found);
  *found = user_entry(entry);
  return 0;
}

struct group *getgrgid(gid_t group) {
  static struct group entry;
  return is_group(group) ? group_entry(&entry) : NEXT(getgrgid)(group);
}

int getgrgid_r(gid_t group, struct group *entry, char *text, size_t size, struct group **found) {
  if (!is_group(group)) return NEXT(getgrgid_r)(group, entry, text, size, found);
  *found = group_entry(entry);
  return 0;
}

int mknodat(int dir, const char *path, mode_t mode, dev_t device) {
  struct look look;
  int result = -1;
  if (enter(&look, dir, &path, MAKE)) result = sys(SYS_mknodat, dir, path, mode, device);
  leave(&look, !result);
  return result;
}

int mknod(const char *path, mode_t mode, dev_t device) {
  return mknodat(AT_FDCWD, path, mode, device);
}

#ifdef __GLIBC__
int __xmknod(int version, const char *path, mode_t mode, dev_t *dev) {
  (void)version;
  return mknod(path, mode, *dev);
}
int __xmknodat(int version, int dir, const char *path, mode_t mode, dev_t *dev) {
  (void)version;
  return mknodat(dir, path, mode, *dev);
}
#endif

/* Older headers do not know it; Rust and others call it where they find it. */
#ifndef STATX_TYPE
struct statx {
  uint32_t unused[5], stx_uid, stx_gid;
  uint16_t stx_mode;
  uint64_t stx_ino, stx_size;
};
#endif
int statx(int dir, const char *path, int flags, unsigned mask, struct statx *answer) {
  struct look look;
  int result = -1;
  if (enter(&look, dir, &path, LOOK)) result = sys(SYS_statx, dir, path, flags, mask, answer);
  leave(&look, !result);
  if (!result && S_ISLNK(answer->stx_mode)) answer->stx_size -= link_excess(dir, path);
  if (!result) show_owner(&answer->stx_uid, &answer->stx_gid);
  return result;
}

/* ---- Names as answers ----------------------------------------------------------------------- */

static ssize_t read_link(int dir, const char *path, char *answer, size_t size) {
  struct look look;
  char link[PATH_MAX];
  ssize_t result = -1;
  size_t most = size < sizeof link ? size : sizeof link - 1;
  if (enter(&look, dir, &path, LOOK))
    result = sys(SYS_readlinkat, dir, path, link, most ? sizeof link - 1 : 0);
  leave(&look, result >= 0);
  if (result < 0) return -1;
  link[result] = 0;
  const char *seen_link = *link == '/' ? logical(link) : link;
  size_t length = strlen(seen_link);
  memcpy(answer, seen_link, length < size ? length : size);
  return length < size ? length : size;
}

ssize_t readlink(const char *path, char *answer, size_t size) {
  return read_link(AT_FDCWD, path, answer, size);
}

ssize_t readlinkat(int dir, const char *path, char *answer, size_t size) {
  return read_link(dir, path, answer, size);
}

int symlinkat(const char *target, int dir, const char *path) {
  struct look look;
  char text[2 * PATH_MAX];
  int result = -1;
  if (active() && *target == '/' && !is_system(logical(target)) && strlen(target) < PATH_MAX) {
    memcpy(text, root, root_length);
    strcpy(text + root_length, logical(target));
    target = text;
  }
  if (enter(&look, dir, &path, MAKE)) result = NEXT(symlinkat)(target, dir, path);
  leave(&look, !result);
  return result;
}

int symlink(const char *target, const char *path) { return symlinkat(target, AT_FDCWD, path); }

char *realpath(const char *path, char *answer) {
  struct look look;
  char text[PATH_MAX] = "", *result = NULL;
  if (enter(&look, AT_FDCWD, &path, LOOK)) result = NEXT(realpath)(path, text);
  leave(&look, result != NULL);
  if (*text && answer) strcpy(answer, logical(text)); /* on failure, too: how far it came */
  return !result ? NULL : answer ? answer : strdup(logical(text));
}

char *canonicalize_file_name(const char *path) { return realpath(path, NULL); }

char *getcwd(char *answer, size_t size) {
  char here[PATH_MAX];
  if (answer && !size) return errno = EINVAL, NULL;
  if (sys(SYS_getcwd, here, sizeof here) < 0) return NULL;
  if (*here != '/') return errno = ENOENT, NULL;
  active();
  const char *seen_here = logical(here);
  size_t need = strlen(seen_here) + 1;
  if (size && need > size) return errno = ERANGE, NULL;
  if (!answer && !(answer = malloc(size ? size : need))) return NULL;
  return memcpy(answer, seen_here, need);
}

char *get_current_dir_name(void) {
  const char *pwd = VALUE("PWD", NULL);
  struct stat there, here;
  int saved = errno;
  if (pwd && *pwd == '/' && !stat(pwd, &there) && !stat(".", &here) &&
      there.st_dev == here.st_dev && there.st_ino == here.st_ino)
    return errno = saved, strdup(pwd);
  errno = saved;
  return getcwd(NULL, 0);
}

#ifdef __GLIBC__
extern void __chk_fail(void) __attribute__((noreturn));
ssize_t __readlink_chk(const char *path, char *answer, size_t size, size_t room) {
  if (size > room) __chk_fail();
  return readlink(path, answer, size);
}
ssize_t __readlinkat_chk(int dir, const char *path, char *answer, size_t size, size_t room) {
  if (size > room) __chk_fail();
  return readlinkat(dir, path, answer, size);
}
char *__realpath_chk(const char *path, char *answer, size_t room) {
  if (room < PATH_MAX) __chk_fail();
  return realpath(path, answer);
}
char *__getcwd_chk(char *answer, size_t size, size_t room) {
  if (size > room) __chk_fail();
  return getcwd(answer, size);
}
#endif

/* The loader and the kernel have spelled these; they end as the program's name for it does. */
unsigned long getauxval(unsigned long type) {
  unsigned long value = NEXT(getauxval)(type);
  return type == AT_EXECFN && value && active() ? (unsigned long)logical((char *)value) : value;
}

int dladdr(const void *address, Dl_info *info) {
  int result = NEXT(dladdr)(address, info);
  if (result && info->dli_fname && active()) info->dli_fname = logical(info->dli_fname);
  return result;
}

/* ---- Temporary names ------------------------------------------------------------------------ */

/* The template goes through with ROOT before it; the six letters come back to their places. */
#define TEMPORARY(TYPE, FAILED, DONE, F, SUFFIX, PARAMETERS, ...)                                  \
  TYPE F PARAMETERS {                                                                              \
    struct look look;                                                                              \
    const char *given = path;                                                                      \
    char real[PATH_MAX], *name = path;                                                             \
    TYPE result = FAILED;                                                                          \
    size_t length = strlen(path), tail = 6 + (size_t)(SUFFIX);                                     \
    if (length < tail) return errno = EINVAL, FAILED;                                              \
    if (enter(&look, AT_FDCWD, &given, MAKE)) {                                                    \
      snprintf(real, sizeof real, "%s", given);                                                    \
      path = real;                                                                                 \
      result = NEXT(F)(__VA_ARGS__);                                                               \
      memcpy(name + length - tail, strchr(real, 0) - tail, 6);                                     \
    }                                                                                              \
    path = name;                                                                                   \
    if (result == FAILED) look_up_parent(path);                                                    \
    else leave(&look, 1);                                                                          \
    return result == FAILED ? FAILED : DONE;                                                       \
  }
#define TEMPORARY_FILES(BITS)                                                                      \
  TEMPORARY(int, -1, result, mkstemp##BITS, 0, (char *path), path)                                 \
  TEMPORARY(int, -1, result, mkostemp##BITS, 0, (char *path, int flags), path, flags)              \
  TEMPORARY(int, -1, result, mkstemps##BITS, suffix, (char *path, int suffix), path, suffix)       \
  TEMPORARY(int, -1, result, mkostemps##BITS, suffix, (char *path, int suffix, int flags), path,   \
            suffix, flags)
TEMPORARY_FILES()
#ifdef __GLIBC__
TEMPORARY_FILES(64)
#endif
TEMPORARY(char *, NULL, path, mkdtemp, 0, (char *path), path)

/* mktemp() and tempnam(), by which nothing is created, pass through a folder that may be absent. */
char *mktemp(char *path) {
  size_t length = strlen(path);
  int fd = length < 6 || strcmp(path + length - 6, "XXXXXX") ? (errno = EINVAL, -1) : mkstemp(path);
  if (fd < 0) {
    *path = 0;
  } else {
    close(fd);
    unlink(path);
  }
  return path;
}

char *tempnam(const char *folder_name, const char *prefix) {
  const char *choices[] = {VALUE("TMPDIR", NULL), folder_name, P_tmpdir};
  char path[PATH_MAX];
  for (size_t i = 0; i < sizeof choices / sizeof *choices; i++) {
    if (!choices[i] || access(choices[i], W_OK | X_OK)) continue;
    snprintf(path, sizeof path, "%s/%.5sXXXXXX", choices[i], prefix ? prefix : "file");
    return *mktemp(path) ? strdup(path) : NULL;
  }
  return errno = ENOENT, NULL;
}

/* ---- Execution ------------------------------------------------------------------------------ */

/* How to start a program; NULL stands for execve(). */
struct spawn {
  pid_t *pid;
  const posix_spawn_file_actions_t *actions;
  const posix_spawnattr_t *attributes;
};

/* `value`, a list of paths, with ROOT before the absolute ones and `ours` first if not in it. */
static char *map_list(char *out, const char *name, const char *ours, const char *value) {
  char *p = stpcpy(out, name);
  if (ours && !strstr(value, ours)) p = stpcpy(stpcpy(p, ours), ":");
  for (size_t n; n = strcspn(value, ": "), 1; value += n + 1) {
    if (*value == '/' && !starts(value, root, root_length) && !is_system(value))
      p = (char *)memcpy(p, root, root_length) + root_length;
    p = (char *)memcpy(p, value, n) + n;
    *p++ = value[n];
    if (!value[n]) return p;
  }
}

/* The room that repair() needs for the strings of `env`; 0 if there is nothing to repair. */
static size_t repair_room(char *const *env) {
  size_t room = 0;
  int right = 1;
  for (int i = 0; i < VARIABLES; i++) {
    const char *ours = variables[i].entry;
    const char *theirs = variable(env, variables[i].name, variables[i].length);
    right &= ours && theirs ? !strcmp(ours, theirs) : ours == theirs;
    room += 2 + (ours ? strlen(ours) : 0);
    for (const char *p = theirs; p && *p; p++) room += *p == ':' || *p == ' ' ? root_length + 1 : 1;
    room += root_length;
  }
  return right ? 0 : room;
}

/* An environment with our variables put back; `out` has room for five entries more than `env`. */
static void repair(char **out, char *text, char *const *env) {
  for (char *const *entry = env; *entry; entry++) {
    int i = 0;
    while (i < VARIABLES && strncmp(*entry, variables[i].name, variables[i].length)) i++;
    if (i == VARIABLES) *out++ = *entry;
  }
  for (int i = 0; i < VARIABLES; i++) {
    const size_t length = variables[i].length;
    char *ours = variables[i].entry, *theirs = variable(env, variables[i].name, length);
    if (i >= PRELOAD && theirs && theirs[length] && (!ours || strcmp(ours, theirs))) {
      *out++ = text;
      text = map_list(text, variables[i].name, ours ? ours + length : NULL, theirs + length);
    } else if (ours) {
      *out++ = ours;
    }
  }
  *out = NULL;
}

/* Records why we shall not be loaded into the ELF program that begins with `head`, if so. */
static void check_program(int fd, char *head, size_t size, const char *path) {
  ElfW(Ehdr) elf;
  ElfW(Phdr) part;
  struct stat st;
  memcpy(&elf, head, sizeof elf);
  if (elf.e_ident[EI_CLASS] != ELFCLASS64) return blind("program of another word size", path);
  if (!sys(SYS_fstat, fd, &st) && st.st_mode & (S_ISUID | S_ISGID))
    return blind("setuid program", path);
  long got = sys(SYS_pread64, fd, head, size, elf.e_phoff);
  for (long at = 0, i = 0; i < elf.e_phnum && at + (long)sizeof part <= got; i++) {
    memcpy(&part, head + at, sizeof part);
    if (part.p_type == PT_INTERP) return;
    at += elf.e_phentsize;
  }
  blind("statically linked program", path);
}

/* The interpreter and the argument of a `#!` line, as Linux reads it (fs/binfmt_script.c). */
static int parse_script(char *line, char **interpreter, char **argument) {
  char *end = strchr(line, '\n'), *name = line + 2 + strspn(line + 2, " \t");
  char *rest = name + strcspn(name, " \t\n");
  if (!end) {
    if (!*rest) return 0; /* its name may go on */
    end = strchr(line, 0);
  }
  while (end > name && (end[-1] == ' ' || end[-1] == '\t')) end--;
  if (end <= name) return 0;
  *end = 0;
  *interpreter = name;
  *argument = NULL;
  if (rest >= end) return 1;
  *rest++ = 0;
  *argument = rest + strspn(rest, " \t");
  return 1;
}

static int start_program(const struct spawn *spawn, const char *path, char *const argv[],
                         char *const envp[]) {
  if (spawn)
    return NEXT(posix_spawn)(spawn->pid, path, spawn->actions, spawn->attributes, argv, envp);
  NEXT(execve)(path, argv, envp);
  return errno;
}

/*
 * Starts `path` with the interpreter of its root, and with our variables in its environment.
 * Returns an error number, or 0 when it has spawned. All that it makes stands on the stack.
 */
static int run(const struct spawn *spawn, const char *path, char *const argv[],
               char *const envp[]) {
  enum { NESTED = 5, LINE = 256, HEAD = 2048 };
  char lines[NESTED][LINE], head[HEAD], *none[] = {NULL};
  struct look look;
  size_t count = 0, entries = 0, room;
  int error = 0;
  if (!active()) return start_program(spawn, path, argv, envp);
  while (argv && argv[count]) count++;
  while (envp && envp[entries]) entries++;
  room = repair_room(envp);
  char *all[2 * NESTED + count + 2], **args = all + 2 * NESTED, text[room + 1];
  char *repaired[entries + VARIABLES + 1];
  for (size_t i = 0; i < count; i++) args[i] = argv[i];
  args[count] = args[count + 1] = NULL;
  argv = args;
  if (room) {
    repair(repaired, text, envp ? envp : none);
    envp = repaired;
  }
  for (int depth = 0;; depth++) {
    const char *named = path;
    if (!enter(&look, AT_FDCWD, &path, LOOK)) error = errno;
    int fd = error ? -1 : sys(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
    if (fd < 0) error = errno;
    long got = fd < 0 ? -1 : sys(SYS_pread64, fd, head, sizeof head, 0);
    int is_script = got > 2 && head[0] == '#' && head[1] == '!';
    if (is_script) memcpy(lines[depth], head, LINE);
    if (got >= (long)sizeof(ElfW(Ehdr)) && !memcmp(head, ELFMAG, SELFMAG))
      check_program(fd, head, sizeof head, logical(named));
    if (fd >= 0) sys(SYS_close, fd);
    errno = error;
    leave(&look, !error);
    if (error == EACCES) break; /* it may be executed all the same */
    if (error) return error;
    if (!is_script) break;
    if (sys(SYS_faccessat, AT_FDCWD, path, X_OK)) return errno;
    char *interpreter, *argument;
    lines[depth][got < LINE ? got : LINE - 1] = 0;
    if (!parse_script(lines[depth], &interpreter, &argument)) return ENOEXEC;
    if (depth == NESTED - 1) return ELOOP;
    *args = (char *)named;
    if (argument) *--args = argument;
    *--args = interpreter;
    argv = args;
    path = interpreter;
  }
  return start_program(spawn, path, argv, envp);
}

/* As run(), but what is no program is run by /bin/sh, as execvp() does. */
static int interpret(const struct spawn *spawn, const char *path, char *const argv[],
                     char *const envp[]) {
  int error = run(spawn, path, argv, envp);
  if (error != ENOEXEC || spawn) return error;
  size_t count = 0;
  while (argv[count]) count++;
  char *args[count + 3];
  args[0] = (char *)"/bin/sh";
  args[1] = (char *)path;
  args[2] = NULL;
  for (size_t i = 1; i <= count; i++) args[i + 1] = argv[i];
  return run(NULL, "/bin/sh", args, envp);
}

/* The search of execvp() and posix_spawnp(). */
static int search(const struct spawn *spawn, const char *file, char *const argv[],
                  char *const envp[]) {
  const char *folders = variable(environ, "PATH=", 5);
  size_t length = strlen(file), n;
  int denied = 0;
  if (!length) return ENOENT;
  if (strchr(file, '/')) return interpret(spawn, file, argv, envp);
  if (length > NAME_MAX) return ENAMETOOLONG;
  for (folders = folders ? folders + 5 : "/bin:/usr/bin";; folders += n + 1) {
    char path[PATH_MAX + NAME_MAX + 2];
    n = strcspn(folders, ":");
    if (n < PATH_MAX) {
      memcpy(path, folders, n);
      strcat(strcpy(path + n, n ? "/" : ""), file);
      int error = interpret(spawn, path, argv, envp);
      switch (error) {
        case EACCES: denied = 1; break;
        case ENOENT: case ENOTDIR: case ESTALE: case ENODEV: case ETIMEDOUT: break;
        default: return error;
      }
    }
    if (!folders[n]) return denied ? EACCES : ENOENT;
  }
}

int execve(const char *path, char *const argv[], char *const envp[]) {
  return errno = run(NULL, path, argv, envp), -1;
}

int execv(const char *path, char *const argv[]) { return execve(path, argv, environ); }

int execvpe(const char *file, char *const argv[], char *const envp[]) {
  return errno = search(NULL, file, argv, envp), -1;
}

int execvp(const char *file, char *const argv[]) { return execvpe(file, argv, environ); }

/* Makes argv[] of the arguments from `first` on; `rest` then stands behind their NULL. */
#define COLLECT(first)                                                                             \
  va_list rest;                                                                                    \
  size_t count = 1;                                                                                \
  va_start(rest, first);                                                                           \
  for (const char *p = first; p; p = va_arg(rest, char *)) count++;                                \
  va_end(rest);                                                                                    \
  char *argv[count];                                                                               \
  va_start(rest, first);                                                                           \
  argv[0] = (char *)first;                                                                         \
  for (size_t i = 1; i < count; i++) argv[i] = va_arg(rest, char *)

int execl(const char *path, const char *argument, ...) {
  COLLECT(argument);
  va_end(rest);
  return execv(path, argv);
}

int execlp(const char *file, const char *argument, ...) {
  COLLECT(argument);
  va_end(rest);
  return execvp(file, argv);
}

int execle(const char *path, const char *argument, ...) {
  COLLECT(argument);
  char *const *envp = va_arg(rest, char *const *);
  va_end(rest);
  return execve(path, argv, envp);
}

int fexecve(int fd, char *const argv[], char *const envp[]) {
  char path[PATH_MAX];
  if (active() && folder(fd, path) && is_there(AT_FDCWD, path))
    return execve(logical(path), argv, envp);
  blind("program without a name", NULL);
  return NEXT(fexecve)(fd, argv, envp);
}

int execveat(int dir, const char *path, char *const argv[], char *const envp[], int flags) {
  char full[2 * PATH_MAX];
  if (*path == '/' || dir == AT_FDCWD) return execve(path, argv, envp);
  if (!*path && flags & AT_EMPTY_PATH) return fexecve(dir, argv, envp);
  if (!folder(dir, full) || strlen(path) >= PATH_MAX) return errno = EBADF, -1;
  return execve(strcat(strcat(full, "/"), path), argv, envp);
}

int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
                const posix_spawnattr_t *attributes, char *const argv[], char *const envp[]) {
  struct spawn spawn = {pid, actions, attributes};
  int saved = errno, error = run(&spawn, path, argv, envp);
  return errno = saved, error;
}

int posix_spawnp(pid_t *pid, const char *file, const posix_spawn_file_actions_t *actions,
                 const posix_spawnattr_t *attributes, char *const argv[], char *const envp[]) {
  struct spawn spawn = {pid, actions, attributes};
  int saved = errno, error = search(&spawn, file, argv, envp);
  return errno = saved, error;
}

/* The child will open it within libc. */
int posix_spawn_file_actions_addopen(posix_spawn_file_actions_t *actions, int fd, const char *path,
                                     int flags, mode_t mode) {
  struct look look;
  int saved = errno;
  if (!enter(&look, AT_FDCWD, &path, opening(flags))) return errno;
  int there = !look.spelled || is_there(AT_FDCWD, path) || flags & O_CREAT;
  leave(&look, there);
  errno = saved;
  return NEXT(posix_spawn_file_actions_addopen)(actions, fd, path, flags, mode);
}

#if !defined __GLIBC__ || __GLIBC__ > 2 || __GLIBC_MINOR__ >= 29
int posix_spawn_file_actions_addchdir_np(posix_spawn_file_actions_t *actions, const char *path) {
  struct look look;
  if (!enter(&look, AT_FDCWD, &path, LOOK)) return errno;
  return NEXT(posix_spawn_file_actions_addchdir_np)(actions, path);
}
#endif

/* As glibc does it: the caller waits deaf to SIGINT and SIGQUIT, and to SIGCHLD of this child. */
int system(const char *command) {
  if (!command) return system("exit 0") == 0;
  char *const argv[] = {(char *)"sh", (char *)"-c", (char *)command, NULL};
  struct sigaction ignore = {.sa_handler = SIG_IGN}, interrupt, quit;
  sigset_t block, mask, defaults;
  posix_spawnattr_t attributes;
  pid_t pid;
  int status = 127 << 8;
  sigemptyset(&block);
  sigaddset(&block, SIGCHLD);
  sigaction(SIGINT, &ignore, &interrupt);
  sigaction(SIGQUIT, &ignore, &quit);
  sigprocmask(SIG_BLOCK, &block, &mask);
  sigemptyset(&defaults);
  if (interrupt.sa_handler != SIG_IGN) sigaddset(&defaults, SIGINT);
  if (quit.sa_handler != SIG_IGN) sigaddset(&defaults, SIGQUIT);
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setsigmask(&attributes, &mask);
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  int error = posix_spawn(&pid, "/bin/sh", NULL, &attributes, argv, environ);
  posix_spawnattr_destroy(&attributes);
  while (!error && waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
  sigaction(SIGINT, &interrupt, NULL);
  sigaction(SIGQUIT, &quit, NULL);
  sigprocmask(SIG_SETMASK, &mask, NULL);
  if (error) errno = error;
  return status;
}

/* Streams of popen() and their shells; they close at exec, so that no other child holds them. */
static struct {
  FILE *stream;
  pid_t pid;
} pipes[64];

/* The place of `from` in `pipes`, which becomes `to`'s; -1 if it is not there. */
static int pipe_of(FILE *from, FILE *to) {
  for (size_t i = 0; i < sizeof pipes / sizeof *pipes; i++) {
    FILE *there = from;
    if (__atomic_compare_exchange_n(&pipes[i].stream, &there, to, 0, __ATOMIC_ACQ_REL,
                                    __ATOMIC_RELAXED))
      return i;
  }
  return -1;
}

FILE *popen(const char *command, const char *type) {
  char *const argv[] = {(char *)"sh", (char *)"-c", (char *)command, NULL};
  int ends[2], reads = *type == 'r';
  if ((!reads && *type != 'w') || (type[1] && strcmp(type + 1, "e")))
    return errno = EINVAL, NULL;
  if (pipe2(ends, O_CLOEXEC)) return NULL;
  if (ends[reads] == reads) { /* dup2() to itself would leave it to be closed */
    ends[reads] = fcntl(reads, F_DUPFD_CLOEXEC, 3);
    close(reads);
  }
  FILE *stream = fdopen(ends[!reads], reads ? "r" : "w");
  int place = stream ? pipe_of(NULL, stream) : -1, error = place < 0 ? EMFILE : 0;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[reads], reads);
  if (!error) error = posix_spawn(&pipes[place].pid, "/bin/sh", &actions, NULL, argv, environ);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[reads]);
  if (!error) return stream;
  if (place >= 0) pipe_of(stream, NULL);
  if (stream) fclose(stream);
  else close(ends[!reads]);
  return errno = error, NULL;
}

int pclose(FILE *stream) {
  int status = -1, place = pipe_of(stream, stream);
  if (place < 0) return NEXT(pclose)(stream);
  pid_t pid = pipes[place].pid;
  pipe_of(stream, NULL);
  fclose(stream);
  while (waitpid(pid, &status, 0) < 0)
    if (errno != EINTR) return -1;
  return status;
}

/* ---- Walks ---------------------------------------------------------------------------------- */

/* glob() can be told by which functions to ask; by ours it sees the root, and is recorded. */
#ifdef __GLIBC__
#define GLOB(F, TYPE, READDIR, STATS, LSTATS)                                                      \
  int F(const char *pattern, int flags, int (*failed)(const char *, int), TYPE *found) {           \
    if (!active() || flags & GLOB_ALTDIRFUNC) return NEXT(F)(pattern, flags, failed, found);       \
    found->gl_opendir = (void *(*)(const char *))(void *)opendir;                                  \
    found->gl_readdir = (__typeof__(found->gl_readdir))(void *)READDIR;                            \
    found->gl_closedir = (void (*)(void *))(void *)closedir;                                       \
    found->gl_stat = STATS;                                                                        \
    found->gl_lstat = LSTATS;                                                                      \
    return NEXT(F)(pattern, flags | GLOB_ALTDIRFUNC, failed, found);                               \
  }
GLOB(glob, glob_t, readdir, stat, lstat)
GLOB(glob64, glob64_t, readdir64, stat64, lstat64)
#endif

/* ftw() and nftw() walk within libc: what they visit is recorded as they tell of it. */
typedef int visitor(const char *, const struct stat *, int, struct FTW *);
typedef int plain_visitor(const char *, const struct stat *, int);
static __thread visitor *visitor_of_walk;
static __thread plain_visitor *plain_visitor_of_walk;

static const char *visited(const char *path, int type) {
  const char *name = logical(path);
  char full[2 * PATH_MAX] = "";
  if (*name != '/' && folder(AT_FDCWD, full) && strlen(name) < PATH_MAX) strcat(full, "/");
  if (strlen(name) < PATH_MAX)
    record(type == FTW_D || type == FTW_DP ? 'L' : 'O', logical(strcat(full, name)));
  return name;
}

static int visit(const char *path, const struct stat *st, int type, struct FTW *at) {
  const char *name = visited(path, type);
  struct FTW theirs = *at; /* libc goes on by its own */
  theirs.base -= name - path;
  return visitor_of_walk(name, st, type, &theirs);
}

static int visit_plain(const char *path, const struct stat *st, int type) {
  return plain_visitor_of_walk(visited(path, type), st, type);
}

int nftw(const char *path, visitor *given, int most, int flags) {
  struct look look;
  int result = -1;
  visitor_of_walk = given;
  if (flags & FTW_CHDIR && *path != '/') blind("folder walk that changes folders", path);
  if (enter(&look, AT_FDCWD, &path, MOVE))
    result = NEXT(nftw)(path, active() ? visit : given, most, flags);
  leave(&look, !result);
  return result;
}

int ftw(const char *path, plain_visitor *given, int most) {
  struct look look;
  int result = -1;
  plain_visitor_of_walk = given;
  if (enter(&look, AT_FDCWD, &path, MOVE))
    result = NEXT(ftw)(path, active() ? visit_plain : given, most);
  leave(&look, !result);
  return result;
}

#ifdef __GLIBC__
int nftw64(const char *path, int (*given)(const char *, const struct stat64 *, int, struct FTW *),
           int most, int flags) {
  return nftw(path, (visitor *)(void *)given, most, flags);
}

int ftw64(const char *path, int (*given)(const char *, const struct stat64 *, int), int most) {
  return ftw(path, (plain_visitor *)(void *)given, most);
}

void *fts_open(char *const *paths, int options, int (*compare)(const void **, const void **)) {
  blind("folder walk by fts", *paths);
  return NEXT(fts_open)(paths, options, compare);
}
#endif

/* ---- Libraries and messages ----------------------------------------------------------------- */

/*
 * A library's name as the loader is to get it. One without a slash is searched by the loader, first
 * in LD_LIBRARY_PATH: what it will find there is recorded before.
 */
static const char *library(const char *name) {
  struct look look;
  char path[2 * PATH_MAX];
  const char *real = name, *folders = variables[LIBRARIES].entry;
  if (!active() || !name || !*name) return name;
  if (strchr(name, '/')) {
    look_up(name);
    return enter(&look, AT_FDCWD, &real, LOOK) && real == look.text ? strdup(real) : name;
  }
  folders = folders ? folders + variables[LIBRARIES].length : "";
  int saved = errno;
  for (size_t n; n = strcspn(folders, ":"), *folders; folders += n + !!folders[n]) {
    snprintf(path, sizeof path, "%.*s/%s", (int)n, folders, name);
    look_up(path);
    if (is_there(AT_FDCWD, path)) break;
  }
  errno = saved;
  return name;
}

/*
 * The last thing these do is to jump to the loader, which must see our caller's return address:
 * RUNPATH and the namespace are those of the caller. So the copy of a name is never freed.
 */
void *dlopen(const char *name, int mode) {
  name = library(name);
  return NEXT(dlopen)(name, mode);
}

#ifdef __GLIBC__
void *dlmopen(Lmid_t space, const char *name, int mode) {
  name = library(name);
  return NEXT(dlmopen)(space, name, mode);
}
#endif

/* Catalogs are opened within libc at the first message: here we know where it will look. */
char *bindtextdomain(const char *domain, const char *path) {
  struct look look;
  char file[2 * PATH_MAX], names[2 * NAME_MAX], *state;
  const char *locale = VALUE("LC_ALL", VALUE("LC_MESSAGES", VALUE("LANG", "C")));
  snprintf(names, sizeof names, "%s:%s", VALUE("LANGUAGE", locale), locale);
  if (!path || !strcmp(locale, "C") || !strcmp(locale, "POSIX")) *names = 0;
  for (char *name = strtok_r(names, ":", &state); name; name = strtok_r(NULL, ":", &state)) {
    for (const char *cut = "@._"; *cut; cut++) {
      snprintf(file, sizeof file, "%s/%s/LC_MESSAGES/%s.mo", path, name, domain);
      look_up(file);
      name[strcspn(name, (char[]){*cut, 0})] = 0;
    }
    snprintf(file, sizeof file, "%s/%s/LC_MESSAGES/%s.mo", path, name, domain);
    look_up(file);
  }
  if (!enter(&look, AT_FDCWD, &path, LOOK)) return NULL;
  char *bound = NEXT(bindtextdomain)(domain, path);
  return bound && active() ? (char *)logical(bound) : bound;
}

/* Converters are found within libc; that one is not there is no proof that it would not be. */
iconv_t iconv_open(const char *to, const char *from) {
  iconv_t result = NEXT(iconv_open)(to, from);
  if (result == (iconv_t)-1 && active()) blind("unknown character set", from);
  return result;
}

/* ---- The terminal --------------------------------------------------------------------------- */

/*
 * Standard error is a pipe on a worker. If it is a terminal where the command was called, it is
 * named one here, too (LLAMA_SHIM_TERMINAL, which holds the columns of the terminal at standard
 * input there, 0 if that is none): compilers ask for both before they colour and cut what they say.
 */
static const char *terminal(void) {
  struct stat st;
  const char *columns = active() ? VALUE("LLAMA_SHIM_TERMINAL", NULL) : NULL;
  if (!columns || sys(SYS_fstat, 2, &st) || (!S_ISFIFO(st.st_mode) && !S_ISSOCK(st.st_mode)))
    return NULL;
  return columns;
}

int isatty(int fd) {
  int saved = errno, is = fd == 2 && terminal();
  errno = saved;
  return is ? 1 : NEXT(isatty)(fd);
}

#ifdef __GLIBC__
int ioctl(int fd, unsigned long request, ...) {
#else
int ioctl(int fd, int request, ...) {
#endif
  va_list rest;
  va_start(rest, request);
  void *answer = va_arg(rest, void *);
  va_end(rest);
  if (request == TIOCGWINSZ && fd == 0) {
    int saved = errno;
    const char *given = terminal();
    int columns = given ? atoi(given) : 0;
    errno = saved;
    if (columns > 0) {
      *(struct winsize *)answer = (struct winsize){.ws_row = 24, .ws_col = (unsigned short)columns};
      return 0;
    }
  }
  return NEXT(ioctl)(fd, request, answer);
}

/* ---- What cannot be followed ---------------------------------------------------------------- */

int connect(int fd, const struct sockaddr *address, socklen_t length) {
  blind("network", NULL);
  return NEXT(connect)(fd, address, length);
}

int bind(int fd, const struct sockaddr *address, socklen_t length) {
  blind("network", NULL);
  return NEXT(bind)(fd, address, length);
}

int chroot(const char *path) {
  blind("change of root", path);
  return NEXT(chroot)(path);
}

/* System calls by number: those with one name, and its place (its folder stands before it). */
static const struct {
  short number;
  unsigned char place, kind;
} direct_calls[] = {
#ifdef SYS_open
    {SYS_open, 0, LOOK},      {SYS_creat, 0, CREATE},   {SYS_stat, 0, LOOK},
    {SYS_lstat, 0, LOOK},     {SYS_access, 0, LOOK},    {SYS_mkdir, 0, MAKE},
    {SYS_rmdir, 0, LOOK},     {SYS_unlink, 0, LOOK},    {SYS_chmod, 0, LOOK},
    {SYS_chown, 0, LOOK},     {SYS_lchown, 0, LOOK},    {SYS_mknod, 0, MAKE},
    {SYS_utime, 0, LOOK},     {SYS_utimes, 0, LOOK},    {SYS_futimesat, 1, LOOK},
#endif
    {SYS_openat, 1, LOOK},    {SYS_newfstatat, 1, LOOK}, {SYS_faccessat, 1, LOOK},
    {SYS_mkdirat, 1, MAKE},   {SYS_mknodat, 1, MAKE},    {SYS_unlinkat, 1, LOOK},
    {SYS_fchmodat, 1, LOOK},  {SYS_fchownat, 1, LOOK},   {SYS_utimensat, 1, LOOK},
    {SYS_chdir, 0, LOOK},     {SYS_truncate, 0, LOOK},   {SYS_statfs, 0, LOOK},
    {SYS_getxattr, 0, LOOK},  {SYS_lgetxattr, 0, LOOK},  {SYS_listxattr, 0, LOOK},
    {SYS_llistxattr, 0, LOOK}, {SYS_statx, 1, LOOK},     {437 /* openat2 */, 1, LOOK},
    {439 /* faccessat2 */, 1, LOOK},
};

/* Those that take names and are not followed. */
static const short blind_calls[] = {
    SYS_execveat, SYS_chroot,      SYS_mount,   SYS_umount2,          SYS_pivot_root,
    SYS_acct,     SYS_swapon,      SYS_swapoff, SYS_name_to_handle_at, SYS_open_by_handle_at,
    SYS_setxattr, SYS_lsetxattr,   SYS_bind,    SYS_connect,          SYS_inotify_add_watch,
    SYS_removexattr, SYS_lremovexattr, SYS_quotactl, SYS_fanotify_mark, 425 /* io_uring_setup */,
    428 /* open_tree */, 429 /* move_mount */, 430 /* fsopen */, 433 /* fspick */,
    442 /* mount_setattr */, 452 /* fchmodat2 */,
};

long syscall(long number, ...) {
  long a[6];
  va_list rest;
  va_start(rest, number);
  for (int i = 0; i < 6; i++) a[i] = va_arg(rest, long);
  va_end(rest);
  switch (number) {
#define AT(i) ((char *)a[i])
#ifdef SYS_open
    case SYS_readlink: return readlink(AT(0), AT(1), a[2]);
    case SYS_rename: return rename(AT(0), AT(1));
    case SYS_link: return link(AT(0), AT(1));
    case SYS_symlink: return symlink(AT(0), AT(1));
#endif
#ifdef SYS_renameat
    case SYS_renameat: return renameat(a[0], AT(1), a[2], AT(3));
#endif
    case SYS_renameat2: return renameat2(a[0], AT(1), a[2], AT(3), a[4]);
    case SYS_readlinkat: return readlinkat(a[0], AT(1), AT(2), a[3]);
    case SYS_linkat: return linkat(a[0], AT(1), a[2], AT(3), a[4]);
    case SYS_symlinkat: return symlinkat(AT(0), a[1], AT(2));
    case SYS_execve: return execve(AT(0), (char *const *)a[1], (char *const *)a[2]);
    case SYS_getcwd: return getcwd(AT(0), a[1]) ? (long)strlen(AT(0)) + 1 : -1;
    case SYS_getdents64: list_descriptor(a[0]); break;
#undef AT
  }
  for (size_t i = 0; i < sizeof direct_calls / sizeof *direct_calls; i++) {
    if (direct_calls[i].number != number) continue;
    const int place = direct_calls[i].place;
    const char *path = (const char *)a[place];
    enum kind kind = direct_calls[i].kind;
    struct look look;
    long result = -1;
    if (number == SYS_openat) kind = opening(a[2]);
#ifdef SYS_open
    if (number == SYS_open) kind = opening(a[1]);
#endif
    if (enter(&look, place ? (int)a[0] : AT_FDCWD, &path, kind)) {
      a[place] = (long)path;
      result = sys(number, a[0], a[1], a[2], a[3], a[4], a[5]);
    }
    leave(&look, result >= 0);
    return result;
  }
  for (size_t i = 0; i < sizeof blind_calls / sizeof *blind_calls; i++) {
    char reason[40];
    if (blind_calls[i] != number) continue;
    snprintf(reason, sizeof reason, "direct system call %ld", number);
    blind(reason, NULL);
  }
  return sys(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

/* ---- The start of a process ----------------------------------------------------------------- */

/* Records an object that the loader has found: the program, which is the first, or a library. */
static int loaded(struct dl_phdr_info *object, size_t size, void *is_library) {
  char path[PATH_MAX];
  const char *name = object->dlpi_name, *what = "library of the worker";
  Dl_info me;
  (void)size;
  if (!*(int *)is_library) {
    long n = sys(SYS_readlinkat, AT_FDCWD, "/proc/self/exe", path, sizeof path - 1);
    path[n > 0 ? n : 0] = 0;
    name = path;
    what = "program of the worker";
    *(int *)is_library = 1;
  } else if ((object->dlpi_addr && object->dlpi_addr == NEXT(getauxval)(AT_BASE)) ||
             (NEXT(dladdr)(seen, &me) && me.dli_fbase == (void *)object->dlpi_addr)) {
    return 0; /* the loader and this library are the runtime's choice, not the job's */
  }
  if (*name == '/' && starts(name, root, root_length)) record('O', logical(name));
  else if (*name == '/' && !is_of_system(name)) blind(what, name);
  return 0;
}

/* The loader of glibc passes main()'s arguments; for others, argv stands before the environment. */
__attribute__((constructor)) static void begin(int argc, char **argv, char **envp) {
  int is_library = 0, saved = errno;
  (void)envp;
  if (!active()) return;
#ifndef __GLIBC__
  argv = environ - 1;
  for (argc = 0; (long)argv[-1] != argc; argc++) argv--;
#endif
  const char *name = VALUE("LLAMA_SHIM_ARGV0", NULL);
  char *copy = name ? strdup(name) : NULL;
  if (copy && argc > 0) {
    argv[0] = program_invocation_name = copy;
    program_invocation_short_name = strrchr(copy, '/') ? strrchr(copy, '/') + 1 : copy;
  }
  unsetenv("LLAMA_SHIM_ARGV0");
  if (log_path) dl_iterate_phdr(loaded, &is_library);
  errno = saved;
}
