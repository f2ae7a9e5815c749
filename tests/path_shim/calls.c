/*
 * Makes the calls that it reads from standard input, and tells what each of them answered.
 *
 * A line holds calls, parted by ` ; `, that are made one after the other in a process of their own.
 * Words are parted by a space; `''` is the empty one, `NULL` no string, `long:N` a path of N bytes,
 * `dir:PATH` a descriptor of that folder. Run in a chroot and under the path shim, the same lines
 * must give the same answers.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <libintl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <utime.h>

static char answer[1 << 16]; /* what a call told besides its result */
static char *words[64];      /* the call's name and arguments */
static char *no_environment[] = {"MARK=1", NULL};

#define A (words[1])
#define B (words[2])
#define C (words[3])
#define D (words[4])

static char *tell(const char *text) {
  if (text) strcat(answer, text);
  return answer;
}

static int number(const char *word) {
  if (!word) return 0;
  if (!strncmp(word, "dir:", 4)) return open(word + 4, O_RDONLY | O_DIRECTORY);
  return strtol(word, NULL, 0);
}

static int at(const char *word) { return strcmp(word, "cwd") ? number(word) : AT_FDCWD; }

static int told(int result, const struct stat *st) {
  if (result) return result;
  sprintf(answer, "%o %ld", st->st_mode, S_ISDIR(st->st_mode) ? 0L : (long)st->st_size);
  return 0;
}

/* What an open file holds; the number itself is told, too, as ours must be the lowest one free. */
static int content(int fd) {
  char text[64];
  if (fd < 0) return fd;
  ssize_t n = read(fd, text, sizeof text - 1);
  text[n > 0 ? n : 0] = 0;
  tell(text);
  close(fd);
  return fd;
}

static int stream(FILE *file) {
  char text[256] = "";
  if (!file) return -1;
  if (fread(text, 1, sizeof text - 1, file)) tell(text);
  return 0;
}

static int by_name(const void *a, const void *b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int listed(DIR *dir) {
  char *names[100];
  int count = 0;
  if (!dir) return -1;
  for (struct dirent *entry; (entry = readdir(dir)) && count < 100;)
    names[count++] = strdup(entry->d_name);
  qsort(names, count, sizeof *names, by_name);
  for (int i = 0; i < count; i++) strcat(tell(names[i]), " ");
  return closedir(dir);
}

static struct dirent **list;

static int chosen(int count) {
  for (int i = 0; i < count; i++) strcat(tell(list[i]->d_name), " ");
  return count;
}

/* A made name, with what was made random shown as it was asked for. */
static int made(int fd, const char *name, const char *wish) {
  if (fd < 0) return -1;
  int same = strlen(name) == strlen(wish) && strcmp(name, wish) && !access(name, F_OK);
  for (size_t i = 0; i < strlen(wish); i++) same &= wish[i] == 'X' || wish[i] == name[i];
  tell(same ? wish : name);
  return 0;
}

static const char *template_of(const char *wish) { return strcpy(answer + 40000, wish); }

static char *wish;
#define MADE(CALL)                                                                                 \
  (wish = words[1], words[1] = (char *)template_of(wish), made(CALL, words[1], wish))

static int waited(int error, pid_t pid) {
  int status;
  if (error) return errno = error, -1;
  waitpid(pid, &status, 0);
  return status;
}

static int seen(const char *path, const struct stat *st, int type, struct FTW *walk) {
  (void)st;
  sprintf(answer + strlen(answer), "%s:%d:%d:%s ", path, type, walk->level, path + walk->base);
  return 0;
}

static int seen_plain(const char *path, const struct stat *st, int type) {
  (void)st;
  sprintf(answer + strlen(answer), "%s:%d ", path, type);
  return 0;
}

static pid_t child;
static int vforked(void) {
  int status;
  child = vfork();
  if (!child) {
    execvp(A, words + 1);
    _exit(errno);
  }
  waitpid(child, &status, 0);
  return status;
}

static int globbed(const char *pattern) {
  glob_t found;
  int result = glob(pattern, GLOB_MARK, NULL, &found);
  for (size_t i = 0; !result && i < found.gl_pathc; i++) strcat(tell(found.gl_pathv[i]), " ");
  if (!result) globfree(&found);
  return result;
}

static int loaded(void *library) {
  const char *(*name)(void) = library ? (const char *(*)(void))dlsym(library, "name") : NULL;
  Dl_info info;
  if (!name) return -1;
  tell(name());
  if (dladdr((void *)name, &info)) strcat(tell(" "), info.dli_fname);
  return 0;
}

static int opened_by_child(void) {
  posix_spawn_file_actions_t actions;
  char *argv[] = {"/bin/sh", "-c", "read line; echo got $line", NULL};
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, A, O_RDONLY, 0);
  return waited(posix_spawn(&child, "/bin/sh", &actions, NULL, argv, environ), child);
}

static int in_folder_by_child(void) {
  posix_spawn_file_actions_t actions;
  char *argv[] = {"/bin/sh", "-c", "pwd; read line < file; echo $line", NULL};
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addchdir_np(&actions, A);
  return waited(posix_spawn(&child, "/bin/sh", &actions, NULL, argv, environ), child);
}

static int network(void) {
  struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/no/socket"};
  return connect(socket(AF_UNIX, SOCK_STREAM, 0), (void *)&address, sizeof address);
}

static int written(FILE *file) {
  if (!file) return -1;
  fputs("written", file);
  return file == stdout ? 0 : fclose(file);
}

static struct stat st;
static struct statx stx;
static struct statfs fs;
static struct statvfs vfs;
static const struct timeval times[2] = {{1000, 0}, {2000, 0}};
static const struct timespec stamps[2] = {{1000, 0}, {2000, 0}};
static const struct utimbuf stamp = {1000, 2000};
static char *text;
static FILE *pipe_stream;

#define TEXT(CALL) ((text = (CALL)) ? (tell(text), 0) : -1)
#define LINK(CALL) ((long)(memset(answer, 0, PATH_MAX), (CALL)))

#define CALLS(CALL)                                                                                \
  CALL(open, content(open(A, number(B), 0644)))                                                    \
  CALL(open_flags, content(open(A, number(B) | (int)!environ, 0644)))                              \
  CALL(openat, content(openat(at(A), B, number(C), 0644)))                                         \
  CALL(creat, close(creat(A, 0644)))                                                               \
  CALL(fopen, stream(fopen(A, B)))                                                                 \
  CALL(freopen, stream(freopen(A, B, stdin)))                                                      \
  CALL(write, written(fopen(A, "w")))                                                              \
  CALL(append, written(fopen(A, "a")))                                                             \
  CALL(stat, told(stat(A, &st), &st))                                                              \
  CALL(lstat, told(lstat(A, &st), &st))                                                            \
  CALL(fstatat, told(fstatat(at(A), B, &st, number(C)), &st))                                      \
  CALL(statx, (st.st_mode = 0, !statx(at(A), B, number(C), STATX_BASIC_STATS, &stx))               \
                  ? sprintf(answer, "%o %ld", stx.stx_mode,                                        \
                            S_ISDIR(stx.stx_mode) ? 0L : (long)stx.stx_size)                       \
                  : -1)                                                                            \
  CALL(access, access(A, number(B)))                                                               \
  CALL(eaccess, eaccess(A, number(B)))                                                             \
  CALL(euidaccess, euidaccess(A, number(B)))                                                       \
  CALL(faccessat, faccessat(at(A), B, number(C), number(D)))                                       \
  CALL(readlink, LINK(readlink(A, answer, B ? number(B) : 1000)))                                  \
  CALL(readlinkat, LINK(readlinkat(at(A), B, answer, 1000)))                                       \
  CALL(realpath, TEXT(realpath(A, NULL)))                                                          \
  CALL(realpath_into, realpath(A, answer) ? 0 : -1)                                                \
  CALL(canonicalize_file_name, TEXT(canonicalize_file_name(A)))                                    \
  CALL(getcwd, getcwd(answer, A ? number(A) : 1000) ? 0 : (*answer = 0, -1))                       \
  CALL(getcwd_new, TEXT(getcwd(NULL, 0)))                                                          \
  CALL(get_current_dir_name, TEXT(get_current_dir_name()))                                         \
  CALL(setenv, setenv(A, B, 1))                                                                    \
  CALL(clearenv, clearenv())                                                                       \
  CALL(chdir, chdir(A))                                                                            \
  CALL(fchdir, fchdir(number(A)))                                                                  \
  CALL(opendir, listed(opendir(A)))                                                                \
  CALL(fdopendir, listed(fdopendir(number(A))))                                                    \
  CALL(scandir, chosen(scandir(A, &list, NULL, alphasort)))                                  \
  CALL(scandirat, chosen(scandirat(at(A), B, &list, NULL, alphasort)))                       \
  CALL(nftw, nftw(A, seen, 10, FTW_PHYS | FTW_DEPTH))                                              \
  CALL(ftw, ftw(A, seen_plain, 10))                                                                \
  CALL(glob, globbed(A))                                                                           \
  CALL(mkdir, mkdir(A, 0755))                                                                      \
  CALL(mkdirat, mkdirat(at(A), B, 0755))                                                           \
  CALL(rmdir, rmdir(A))                                                                            \
  CALL(unlink, unlink(A))                                                                          \
  CALL(unlinkat, unlinkat(at(A), B, number(C)))                                                    \
  CALL(remove, remove(A))                                                                          \
  CALL(rename, rename(A, B))                                                                       \
  CALL(renameat, renameat(at(A), B, at(C), D))                                                     \
  CALL(renameat2, renameat2(at(A), B, at(C), D, RENAME_NOREPLACE))                                 \
  CALL(link, link(A, B))                                                                           \
  CALL(linkat, linkat(at(A), B, at(C), D, 0))                                                      \
  CALL(symlink, symlink(A, B))                                                                     \
  CALL(symlinkat, symlinkat(A, at(B), C))                                                          \
  CALL(chmod, chmod(A, number(B)))                                                                 \
  CALL(fchmodat, fchmodat(at(A), B, number(C), 0))                                                 \
  CALL(chown, chown(A, -1, -1))                                                                    \
  CALL(lchown, lchown(A, -1, -1))                                                                  \
  CALL(fchownat, fchownat(at(A), B, -1, -1, 0))                                                    \
  CALL(truncate, truncate(A, number(B)))                                                           \
  CALL(utime, utime(A, &stamp))                                                                    \
  CALL(utimes, utimes(A, times))                                                                   \
  CALL(lutimes, lutimes(A, times))                                                                 \
  CALL(futimesat, futimesat(at(A), B, times))                                                      \
  CALL(utimensat, utimensat(at(A), B, stamps, 0))                                                  \
  CALL(mkfifo, mkfifo(A, 0600))                                                                    \
  CALL(mkfifoat, mkfifoat(at(A), B, 0600))                                                         \
  CALL(mknod, mknod(A, S_IFREG | 0600, 0))                                                         \
  CALL(mknodat, mknodat(at(A), B, S_IFREG | 0600, 0))                                              \
  CALL(mkstemp, MADE(mkstemp(A)))                                                                  \
  CALL(mkostemp, MADE(mkostemp(A, O_CLOEXEC)))                                                     \
  CALL(mkstemps, MADE(mkstemps(A, number(B))))                                                     \
  CALL(mkostemps, MADE(mkostemps(A, number(B), O_CLOEXEC)))                                        \
  CALL(mkdtemp, MADE(mkdtemp(A) ? 0 : -1))                                                         \
  CALL(tempnam, (text = tempnam(A, "pre")) ? (text[strlen(text) - 6] = 0, tell(text), 0) : -1)     \
  CALL(statfs, statfs(A, &fs))                                                                     \
  CALL(statvfs, statvfs(A, &vfs))                                                                  \
  CALL(pathconf, pathconf(A, _PC_NAME_MAX))                                                        \
  CALL(inotify_add_watch, inotify_add_watch(inotify_init(), A, IN_MODIFY))                         \
  CALL(getxattr, getxattr(A, "user.none", answer, 100))                                            \
  CALL(listxattr, listxattr(A, answer, 0))                                                         \
  CALL(execv, execv(A, words + 1))                                                                 \
  CALL(execve, execve(A, words + 1, environ))                                                      \
  CALL(execve_bare, execve(A, words + 1, no_environment))                                          \
  CALL(execvp, execvp(A, words + 1))                                                               \
  CALL(execvpe, execvpe(A, words + 1, no_environment))                                             \
  CALL(execl, execl(A, A, B, C, (char *)NULL))                                                     \
  CALL(execlp, execlp(A, A, B, C, (char *)NULL))                                                   \
  CALL(execle, execle(A, A, B, C, (char *)NULL, no_environment))                                   \
  CALL(fexecve, fexecve(open(A, O_RDONLY), words + 1, environ))                                    \
  CALL(vfork, vforked())                                                                           \
  CALL(posix_spawn, waited(posix_spawn(&child, A, NULL, NULL, words + 1, environ), child))         \
  CALL(posix_spawnp, waited(posix_spawnp(&child, A, NULL, NULL, words + 1, environ), child))       \
  CALL(spawn_open, opened_by_child())                                                              \
  CALL(spawn_chdir, in_folder_by_child())                                                          \
  CALL(system, system(A))                                                                          \
  CALL(popen, (pipe_stream = popen(A, "r"), stream(pipe_stream)) ? -1 : pclose(pipe_stream))       \
  CALL(popen_write, written(stdout) || !(pipe_stream = popen(A, "w")) ||                           \
                        fputs("to the shell\n", pipe_stream) < 0 ? -1 : pclose(pipe_stream))       \
  CALL(dlopen, loaded(dlopen(A, RTLD_NOW)))                                                        \
  CALL(bindtextdomain, TEXT(bindtextdomain("calls", A)))                                           \
  CALL(auxiliary, TEXT((char *)getauxval(AT_EXECFN)))                                              \
  CALL(invocation, (tell(program_invocation_name), tell(" "), tell(program_invocation_short_name), \
                    0))                                                                            \
  CALL(connect, network())                                                                         \
  CALL(sys_openat, content(syscall(SYS_openat, at(A), B, O_RDONLY)))                               \
  CALL(sys_statx, syscall(SYS_statx, at(A), B, 0, STATX_BASIC_STATS, &stx))                        \
  CALL(sys_faccessat2, syscall(439, at(A), B, R_OK, 0))                                            \
  CALL(sys_readlinkat, LINK(syscall(SYS_readlinkat, at(A), B, answer, 1000)))                      \
  CALL(sys_getcwd, syscall(SYS_getcwd, answer, 1000))                                              \
  CALL(sys_renameat2, syscall(SYS_renameat2, at(A), B, at(C), D, 0))                               \
  CALL(sys_execve, syscall(SYS_execve, A, words + 1, environ))                                     \
  CALL(sys_acct, syscall(SYS_acct, A))

#define DEFINE(NAME, EXPRESSION)                                                                   \
  static long call_##NAME(void) { return EXPRESSION; }
#define ENTRY(NAME, EXPRESSION) {#NAME, call_##NAME},
CALLS(DEFINE)
static const struct {
  const char *name;
  long (*make)(void);
} calls[] = {CALLS(ENTRY)};

static char *word(char *given) {
  if (!strcmp(given, "NULL")) return NULL;
  if (!strcmp(given, "''")) return "";
  for (char *p = given; (p = strchr(p, '~'));) *p = ' ';
  if (strncmp(given, "long:", 5)) return given;
  int length = atoi(given + 5);
  char *path = calloc(length + 1, 1);
  for (int i = 0; i < length; i++) path[i] = i % 200 ? 'x' : '/';
  return path;
}

static void make(char *call) {
  int count = 0;
  char *state;
  memset(words, 0, sizeof words);
  for (char *p = strtok_r(call, " ", &state); p; p = strtok_r(NULL, " ", &state))
    words[count++] = word(p);
  if (!count) return;
  memset(answer, 0, sizeof answer);
  for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
    if (strcmp(calls[i].name, words[0])) continue;
    errno = 0;
    long result = calls[i].make();
    int error = errno;
    printf("  %s = %ld", words[0], result);
    if (result == -1) printf(" errno %d (%s)", error, strerror(error));
    printf(*answer ? " \"%s\"\n" : "\n", answer);
    fflush(stdout);
    return;
  }
  printf("  no call \"%s\"\n", words[0]);
}

int main(int argc, char **argv) {
  char *line = NULL;
  size_t size = 0;
  if (argc > 1) {
    for (int i = 0; i < argc; i++) printf("%s[%s]", i ? " " : "argv ", argv[i]);
    printf(" MARK=%s\n", getenv("MARK") ? getenv("MARK") : "");
    return 0;
  }
  umask(022);
  while (getline(&line, &size, stdin) > 0) {
    line[strcspn(line, "\n")] = 0;
    printf("\n# %s\n", line);
    fflush(stdout);
    pid_t pid = fork();
    if (!pid) {
      close(0);
      open("/dev/null", O_RDONLY);
      for (char *next = line; next; ) {
        char *call = next;
        if ((next = strstr(call, " ; "))) *next = 0, next += 3;
        make(call);
      }
      _exit(0);
    }
    int status;
    waitpid(pid, &status, 0);
    if (status) printf("  status %#x\n", status);
    fflush(stdout);
  }
  return 0;
}
