/*
 * The client of `make -j400 CC=llamacc`: one small program under several names.
 *
 * Called by a name that holds "llamacc" or "llamac++", by that of a compiler, such as "gcc-12", or through
 * a link to such a file, it sends its command to the daemon and does what the daemon answers;
 * daemon/protocol.ts has the layout of both. Called by any other name, such as "llama", it becomes Deno with the bundled command line; `../lib/llama/launch`, seen from the folder of
 * this file, names the two, a line each: the deno executable and the bundle, relative to
 * that file's folder unless absolute.
 *
 * It parses nothing and decides nothing, and it keeps to system calls and the smallest part of libc,
 * so that it can be linked statically: what it costs is what exec(2) costs.
 *
 *     cc -O2 -static -o llamacc launcher.c        (without -static where there is no libc.a)
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

enum { COMPILE = 1, STDOUT = 16, STDERR, EXIT, SIGNAL, EXEC, JSON, ERROR };
enum { VERSION = 1, HEADER = 8, FLAGS = 16, MAX_PAYLOAD = 16 << 20 };
enum { MAX_RETRIES = 3, RETRY_PAUSE_MS = 50, START_LIMIT_S = 15 };

/* ---- Words for the user ---- */

/* Writes all of it; returns 0, or -1 with errno. A terminal may have been made non-blocking by others. */
static int write_all(int fd, const char *bytes, size_t length) {
    while (length > 0) {
        ssize_t count = write(fd, bytes, length);
        if (count >= 0) {
            bytes += count;
            length -= (size_t)count;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            struct pollfd ready = {fd, POLLOUT, 0};
            if (poll(&ready, 1, -1) < 0 && errno != EINTR) return -1;
        } else if (errno != EINTR) {
            return -1;
        }
    }
    return 0;
}

static const char *speaker = "llamacc";

/* Prints "llamacc: ABC" in one write where it fits, so that lines of parallel clients do not mix. */
static void say(const char *a, const char *b, const char *c) {
    const char *parts[] = {speaker, ": ", a, b, c, "\n"};
    char line[1024];
    size_t length = 0;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        size_t size = strlen(parts[i]);
        if (size > sizeof line - length) {
            if (write_all(2, line, length) < 0) return;
            length = 0;
        }
        if (size > sizeof line) {
            if (write_all(2, parts[i], size) < 0) return;
        } else {
            memcpy(line + length, parts[i], size);
            length += size;
        }
    }
    (void)write_all(2, line, length);
}

static void fail(const char *a, const char *b, const char *c) __attribute__((noreturn));
static void fail(const char *a, const char *b, const char *c) {
    say(a, b, c);
    _exit(1);
}

static void *allocate(size_t bytes) {
    void *memory = malloc(bytes ? bytes : 1);
    if (memory == NULL) fail("Cannot go on as there is no memory left", "", "");
    return memory;
}

/* ---- Paths ---- */

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* Returns a + b + c, or NULL where a path that long cannot be. */
static char *join(const char *a, const char *b, const char *c) {
    size_t la = strlen(a), lb = strlen(b), lc = strlen(c);
    char *path = allocate(la + lb + lc + 1);
    memcpy(path, a, la);
    memcpy(path + la, b, lb);
    memcpy(path + la + lb, c, lc + 1);
    return path;
}

static char *current_folder(void) {
    for (size_t size = 1024;; size *= 2) {
        char *path = allocate(size);
        if (getcwd(path, size) != NULL) return path;
        free(path);
        /* A folder that is gone: the compiler may do without it. */
        if (errno != ERANGE) return "";
    }
}

/* The folder of this executable, links followed; NULL if it cannot be told. */
static char *own_folder(const char *argv0) {
    char *path = realpath("/proc/self/exe", NULL);
    if (path == NULL && strchr(argv0, '/')) path = realpath(argv0, NULL);
    if (path == NULL) {
        /* Without /proc: found in PATH, as the shell found it. */
        const char *search = getenv("PATH");
        while (path == NULL && search != NULL) {
            size_t length = strcspn(search, ":");
            char *folder = allocate(length + 1);
            memcpy(folder, search, length);
            folder[length] = 0;
            char *candidate = join(length ? folder : ".", "/", argv0);
            if (access(candidate, X_OK) == 0) path = realpath(candidate, NULL);
            free(candidate);
            free(folder);
            search = search[length] ? search + length + 1 : NULL;
        }
    }
    if (path == NULL) return NULL;
    char *slash = strrchr(path, '/');
    slash[slash == path ? 1 : 0] = 0;
    return path;
}

/* The user's home folder in /etc/passwd; getpwuid would need a dynamic libc. */
static char *passwd_home(void) {
    static char text[256 * 1024];
    int fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
    if (fd < 0) return NULL;
    size_t length = 0;
    while (length < sizeof text - 1) {
        ssize_t count = read(fd, text + length, sizeof text - 1 - length);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) break;
        length += (size_t)count;
    }
    close(fd);
    text[length] = 0;
    for (char *line = text; line != NULL && *line; ) {
        char *next = strchr(line, '\n');
        if (next) *next++ = 0;
        /* passwd(5): name:password:UID:GID:GECOS:directory:shell */
        char *field[6];
        int count = 0;
        for (char *at = line; at != NULL && count < 6; count++) {
            field[count] = at;
            at = strchr(at, ':');
            if (at) *at++ = 0;
        }
        if (count == 6 && *field[2] && strtoul(field[2], NULL, 10) == getuid() && *field[5]) {
            return field[5];
        }
        line = next;
    }
    return NULL;
}

/* LLAMA_DIR, absolute. */
static char *find_llama_dir(const char *cwd) {
    const char *given = getenv("LLAMA_DIR");
    char *path;
    if (given && *given) {
        if (*given == '/') return (char *)given;
        if (!*cwd) fail("Cannot tell the current folder, which LLAMA_DIR is relative to", "", "");
        path = join(cwd, "/", given);
    } else {
        const char *home = getenv("HOME");
        if (home == NULL || !*home) home = passwd_home();
        if (home == NULL) {
            fail("Cannot tell where llama keeps its files as HOME is not set; ",
                 "set LLAMA_DIR to a folder of your own", "");
        }
        path = join(home, "/.llama", "");
    }
    return path;
}

/* ---- The command line: Deno with the bundle ---- */

/* Cuts the line at `text` off and returns what follows. */
static char *cut_line(char *text) {
    char *end = strchr(text, '\n');
    if (end == NULL) return text + strlen(text);
    *end = 0;
    return end + 1;
}

static void run_deno(int argc, char **argv) __attribute__((noreturn));
static void run_deno(int argc, char **argv) {
    static char text[2 * PATH_MAX + 16];
    char *folder = own_folder(argc > 0 ? argv[0] : "llama");
    if (folder == NULL) fail("Cannot tell where this program is", "", "");
    char *lib = join(folder, "/../lib/llama/", "");
    char *launch = join(lib, "launch", "");
    int fd = open(launch, O_RDONLY | O_CLOEXEC);
    if (fd < 0) fail(launch, " cannot be read: ", strerror(errno));
    size_t length = 0;
    while (length < sizeof text - 1) {
        ssize_t count = read(fd, text + length, sizeof text - 1 - length);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) fail(launch, " cannot be read: ", strerror(errno));
        if (count == 0) break;
        length += (size_t)count;
    }
    close(fd);
    char *deno = text, *bundle = cut_line(text);
    cut_line(bundle);
    if (!*deno || !*bundle) fail(launch, " must name the deno executable and the bundle", "");
    if (strchr(deno, '/') && *deno != '/') deno = join(lib, deno, "");
    if (*bundle != '/') bundle = join(lib, bundle, "");

    static const char *const flags[] = {
        "run", "-A", "--no-config", "--no-lock", "--cached-only", "--no-check",
        "--unstable-no-legacy-abort", /* For the embedded cloud: see selfCommand() in self.ts. */
        /* Young objects in 2 MB, not 16: xargs of 10,000 jobs takes 116 MB so and 170 without, for the same CPU. */
        "--v8-flags=--max-semi-space-size=2",
    };
    enum { FLAGS = sizeof flags / sizeof *flags };
    char **args = allocate(((size_t)argc + FLAGS + 3) * sizeof *args);
    int count = 0;
    args[count++] = deno;
    for (int i = 0; i < FLAGS; i++) args[count++] = (char *)flags[i];
    args[count++] = bundle;
    for (int i = 1; i < argc; i++) args[count++] = argv[i];
    args[count] = NULL;
    setenv("DENO_NO_UPDATE_CHECK", "1", 1);
    execvp(deno, args);
    if (errno == ENOENT && strchr(deno, '/')) {
        /* Deno was moved since the installation. */
        args[0] = "deno";
        execvp("deno", args);
    }
    int problem = errno;
    say("Cannot run ", deno, join(": ", strerror(problem), ""));
    _exit(problem == ENOENT ? 127 : 126);
}

/* ---- Reaching the daemon ---- */

/* Returns a connection, or -1 with errno. */
static int try_connect(const char *llama_dir) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    static const char name[] = "/daemon.sock";
    size_t length = strlen(llama_dir);
    if (length + sizeof name > sizeof address.sun_path) {
        fail("Cannot reach the daemon as the socket path is too long: ", llama_dir,
             "/daemon.sock, the limit is 107 bytes; set LLAMA_DIR to a shorter folder");
    }
    memcpy(address.sun_path, llama_dir, length);
    memcpy(address.sun_path + length, name, sizeof name);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    /* Where the caller closed stdout, no word for it must reach the daemon. */
    for (int low = fd; low >= 0 && low < 3; low = -1) {
        fd = fcntl(low, F_DUPFD, 3);
        close(low);
    }
    if (fd < 0) fail("Cannot open a socket: ", strerror(errno), "");
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    while (connect(fd, (struct sockaddr *)&address, sizeof address) < 0) {
        int problem = errno;
        if (problem == EINTR) {
            /* The attempt goes on in the system; a Unix socket has no state in between to wait for. */
            close(fd);
            return try_connect(llama_dir);
        }
        close(fd);
        errno = problem;
        return -1;
    }
#ifdef SO_PEERCRED
    /* Who answers tells us what to execute. */
    struct ucred peer;
    socklen_t size = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid != geteuid() &&
        peer.uid != 0) {
        fail("Cannot trust the daemon in \"", llama_dir, "\": it runs as another user");
    }
#endif
    return fd;
}

static void make_folder(char *path) {
    for (char *at = path + 1;; at++) {
        if (*at && *at != '/') continue;
        char end = *at;
        *at = 0;
        int made = mkdir(path, 0700), problem = errno;
        *at = end;
        if (made < 0 && problem != EEXIST && !end) {
            fail("Cannot make the folder \"", path, join("\": ", strerror(problem), ""));
        }
        if (!end) return;
    }
}

/* Pipes and locks of the caller must not live as long as the daemon. */
static void close_others(void) {
    long limit = sysconf(_SC_OPEN_MAX);
#if defined(__linux__) && defined(__GLIBC__) && __GLIBC_PREREQ(2, 34)
    if (close_range(3, ~0u, 0) == 0) return;
#endif
    if (limit < 0 || limit > 65536) limit = 65536;
    for (int fd = 3; fd < limit; fd++) close(fd);
}

/* Runs `llama daemon -autostart` and waits until it returns: then a daemon answers, or it has said why not. */
static void start_daemon(const char *argv0, char *llama_dir) {
    char *folder = own_folder(argv0);
    char *program = folder ? join(folder, "/llama", "") : NULL;
    if (program == NULL || access(program, X_OK) < 0) program = "llama";
    /* A file, not a pipe: nothing hangs if a process that stays keeps it open. */
    char *words = join(llama_dir, "/daemon.start.err", "");
    int err = open(words, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (err < 0) fail("Cannot write \"", words, join("\": ", strerror(errno), ""));
    unlink(words);

    pid_t child = fork();
    if (child < 0) fail("Cannot start the daemon: ", strerror(errno), "");
    if (child == 0) {
        /* Deno does not start in a folder that is gone. */
        if (!*current_folder() && chdir("/") < 0) _exit(126);
        int null = open("/dev/null", O_RDWR);
        if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(err, 2) < 0) _exit(126);
        close_others();
        setenv("LLAMA_DIR", llama_dir, 1);
        execlp(program, "llama", "daemon", "-autostart", (char *)NULL);
        int problem = errno;
        say("Cannot run ", program, join(": ", strerror(problem), ""));
        _exit(problem == ENOENT ? 127 : 126);
    }
    int status;
    while (waitpid(child, &status, 0) < 0) {
        /* With SIGCHLD ignored by whoever started us the system keeps no status. */
        if (errno != EINTR) {
            status = 0;
            break;
        }
    }
    if (status != 0) {
        static char text[4096];
        off_t size = lseek(err, 0, SEEK_END);
        off_t from = size > (off_t)sizeof text ? size - (off_t)sizeof text : 0;
        ssize_t count = pread(err, text, sizeof text, from);
        if (count > 0) {
            (void)write_all(2, text, (size_t)count);
        } else {
            say("Cannot start the daemon: ", program, " daemon -autostart failed without a word");
        }
        _exit(1);
    }
    close(err);
}

static int reach_daemon(const char *argv0, char *llama_dir) {
    int fd = try_connect(llama_dir);
    if (fd >= 0) return fd;
    if (errno != ENOENT && errno != ECONNREFUSED) {
        fail("Cannot reach the daemon: ", strerror(errno), "");
    }
    make_folder(llama_dir);
    char *path = join(llama_dir, "/daemon.start.lock", "");
    int lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock < 0) fail("Cannot open \"", path, join("\": ", strerror(errno), ""));
    struct timespec before, after;
    clock_gettime(CLOCK_MONOTONIC, &before);
    while (flock(lock, LOCK_EX) < 0) {
        if (errno != EINTR) fail("Cannot lock \"", path, join("\": ", strerror(errno), ""));
    }
    fd = try_connect(llama_dir);
    if (fd < 0) {
        /* Hundreds of clients must not try one after the other what none of them can do. */
        clock_gettime(CLOCK_MONOTONIC, &after);
        if (after.tv_sec - before.tv_sec > START_LIMIT_S) {
            fail("Cannot start the daemon as another client could not: see ", llama_dir, "/daemon.log");
        }
        start_daemon(argv0, llama_dir);
        fd = try_connect(llama_dir);
    }
    if (fd < 0) {
        fail("Cannot reach the daemon that was started: ", strerror(errno), "");
    }
    close(lock);
    free(path);
    return fd;
}

/* ---- The conversation ---- */

static void put32(unsigned char *at, uint32_t value) {
    for (int i = 0; i < 4; i++) at[i] = (unsigned char)(value >> (8 * i));
}

static uint32_t get32(const unsigned char *at) {
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static size_t list_size(char *const *items) {
    size_t size = 4;
    for (; *items; items++) size += 4 + strlen(*items);
    return size;
}

static unsigned char *put_string(unsigned char *at, const char *text) {
    size_t length = strlen(text);
    put32(at, (uint32_t)length);
    memcpy(at + 4, text, length);
    return at + 4 + length;
}

static unsigned char *put_list(unsigned char *at, char *const *items) {
    uint32_t count = 0;
    while (items[count]) count++;
    put32(at, count);
    at += 4;
    for (; *items; items++) at = put_string(at, *items);
    return at;
}

/* Returns the whole COMPILE frame and its length. */
static unsigned char *make_request(char *const *argv, const char *cwd, size_t *length) {
    size_t payload = 3 * 4 + list_size(argv) + 4 + strlen(cwd) + list_size(environ);
    if (payload > MAX_PAYLOAD) {
        fail("Cannot send the command as it is longer than 16 MiB with its environment", "", "");
    }
    mode_t mask = umask(0);
    umask(mask);
    unsigned char *frame = allocate(HEADER + payload), *at = frame;
    put32(at, COMPILE);
    put32(at + 4, (uint32_t)payload);
    put32(at + 8, VERSION);
    put32(at + 12, (uint32_t)mask);
    uint32_t flags = (isatty(2) ? 1u : 0u) | (isatty(1) ? 2u : 0u);
    struct rlimit size;
    if (getrlimit(RLIMIT_FSIZE, &size) == 0 && size.rlim_cur != RLIM_INFINITY) flags |= 4;
    struct pollfd err = {2, 0, 0};
    if (poll(&err, 1, 0) > 0 && (err.revents & POLLERR)) flags |= 8;
    struct winsize window = {0};
    if ((flags & 3) && ioctl(0, TIOCGWINSZ, &window) == 0) flags |= (uint32_t)window.ws_col << 16;
    put32(at + FLAGS, flags);
    at = put_list(at + 20, argv);
    at = put_string(at, cwd);
    at = put_list(at, environ);
    *length = (size_t)(at - frame);
    return frame;
}

/* That the daemon is gone shows when its answer is read; it may have said why it does not listen on. */
static void send_all(int fd, const unsigned char *bytes, size_t length) {
    while (length > 0) {
        ssize_t count = send(fd, bytes, length, MSG_NOSIGNAL);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return;
        bytes += count;
        length -= (size_t)count;
    }
}

/* Fills the buffer; returns 0 if the connection ends before. */
static int receive_all(int fd, void *buffer, size_t length) {
    char *at = buffer;
    while (length > 0) {
        ssize_t count = read(fd, at, length);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return 0;
        at += count;
        length -= (size_t)count;
    }
    return 1;
}

static void bad_answer(void) __attribute__((noreturn));
static void bad_answer(void) {
    fail("Cannot understand the daemon; run `llama daemon -shutdown` and try again", "", "");
}

static uint32_t take32(unsigned char **at, unsigned char *end) {
    if (end - *at < 4) bad_answer();
    *at += 4;
    return get32(*at - 4);
}

/*
 * Returns the string that begins at `*at` as a C string. It moves it over its own length, which was
 * read, and so has room for the NUL.
 */
static char *take_string(unsigned char **at, unsigned char *end) {
    uint32_t length = take32(at, end);
    if ((size_t)(end - *at) < length) bad_answer();
    unsigned char *text = *at - 4;
    memmove(text, *at, length);
    text[length] = 0;
    *at += length;
    return (char *)text;
}

static char **take_list(unsigned char **at, unsigned char *end) {
    uint32_t count = take32(at, end);
    if (count > (size_t)(end - *at) / 4) bad_answer();
    char **items = allocate(((size_t)count + 1) * sizeof *items);
    for (uint32_t i = 0; i < count; i++) items[i] = take_string(at, end);
    items[count] = NULL;
    return items;
}

/* As it was when this program began; meanwhile a broken pipe is an error like others. */
static void (*broken_pipe)(int) = SIG_DFL;

static void become(int fd, unsigned char *payload, uint32_t length) __attribute__((noreturn));
static void become(int fd, unsigned char *payload, uint32_t length) {
    unsigned char *at = payload, *end = payload + length;
    char *program = take_string(&at, end);
    char **args = take_list(&at, end);
    char **changes = take_list(&at, end);
    if (at != end || args[0] == NULL) bad_answer();
    for (; *changes; changes++) {
        if (strchr(*changes, '=')) putenv(*changes);
        else unsetenv(*changes);
    }
    /* The connection is the lease of a core; it moves out of the way of scripts that use low numbers. */
    int lease = fcntl(fd, F_DUPFD, 100);
    if (lease >= 0) close(fd);
    else fcntl(fd, F_SETFD, 0);
    signal(SIGPIPE, broken_pipe);
    execvp(program, args);
    int problem = errno;
    say("Cannot run ", program, join(": ", strerror(problem), ""));
    _exit(problem == ENOENT || problem == ENOTDIR ? 127 : 126);
}

static void die_by(uint32_t number) __attribute__((noreturn));
static void die_by(uint32_t number) {
    struct rlimit none = {0, 0};
    sigset_t set;
    setrlimit(RLIMIT_CORE, &none);
    signal((int)number, SIG_DFL);
    sigemptyset(&set);
    sigaddset(&set, (int)number);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    kill(getpid(), (int)number);
    _exit(128 + (int)(number & 127));
}

enum ending { UNHEARD = -1, GONE, GONE_AMID_WORDS };

/*
 * Does what the daemon says. Returns only if the daemon ends first, or if what a compilation elsewhere
 * printed cannot be written: only the compiler itself then fails as it does.
 */
static enum ending follow(int fd) {
    static unsigned char small[64 * 1024];
    enum ending printed = GONE;
    broken_pipe = signal(SIGPIPE, SIG_IGN);
    for (;;) {
        unsigned char header[HEADER];
        if (!receive_all(fd, header, HEADER)) return printed;
        uint32_t kind = get32(header), length = get32(header + 4);
        if (length > MAX_PAYLOAD) bad_answer();
        unsigned char *payload = length < sizeof small ? small : allocate((size_t)length + 1);
        if (!receive_all(fd, payload, length)) return printed;
        switch (kind) {
        case STDOUT:
        case STDERR:
            /* As of a compiler, words that find no room are no failure; a lost result is, and a broken pipe. */
            if (write_all(kind == STDOUT ? 1 : 2, (char *)payload, length) < 0 &&
                (kind == STDOUT || errno == EPIPE)) {
                if (printed == GONE) return UNHEARD;
                if (errno == EPIPE && broken_pipe == SIG_DFL) die_by(SIGPIPE);
                if (kind == STDOUT) fail("Cannot write to stdout: ", strerror(errno), "");
            }
            if (length > 0) printed = GONE_AMID_WORDS;
            break;
        case EXIT:
            if (length != 4) bad_answer();
            _exit((int)(get32(payload) & 255));
        case SIGNAL:
            if (length != 4) bad_answer();
            die_by(get32(payload));
        case EXEC:
            become(fd, payload, length);
        case ERROR:
            payload[length] = 0;
            fail((char *)payload, "", "");
        default:
            bad_answer();
        }
        if (payload != small) free(payload);
    }
}

/* By this the daemon knows a copy of this file under the name of a compiler: daemon/compiler_lookup.ts. */
static const char own_mark[] __attribute__((used)) = "llamacc: this is the client of the llama daemon";

static int ends_with(const char *name, size_t length, const char *end) {
    size_t size = strlen(end);
    return length >= size && memcmp(name + length - size, end, size) == 0;
}

/* "gcc", "c++", "aarch64-linux-gnu-g++-12", "clang-14": what a copy of this file stands in for. */
static int is_compiler(const char *name) {
    size_t length = strlen(name), end = length;
    while (end > 0 && (strchr("0123456789.", name[end - 1]) != NULL)) end--;
    if (end > 0 && end < length && name[end - 1] == '-') length = end - 1;
    return ends_with(name, length, "cc") || ends_with(name, length, "++") ||
           ends_with(name, length, "clang");
}

static int is_client(const char *name) {
    return strstr(name, "llamacc") != NULL || strstr(name, "llamac++") != NULL || is_compiler(name);
}

/* Whether a link of another name, such as "cc", led to the client. */
static int runs_as_client(void) {
    char *path = realpath("/proc/self/exe", NULL);
    int client = path != NULL && is_client(base_name(path));
    free(path);
    return client;
}

int main(int argc, char **argv) {
    const char *name = argc > 0 ? base_name(argv[0]) : "";
    if (!is_client(name) && (strcmp(name, "llama") == 0 || !runs_as_client())) {
        speaker = "llama";
        run_deno(argc, argv);
    }
    char *cwd = current_folder();
    char *llama_dir = find_llama_dir(cwd);
    size_t length;
    unsigned char *request = make_request(argv, cwd, &length);
    for (int attempt = 0; attempt <= MAX_RETRIES; attempt++) {
        int fd = reach_daemon(argv[0], llama_dir);
        send_all(fd, request, length);
        enum ending ending = follow(fd);
        signal(SIGPIPE, broken_pipe);
        close(fd);
        if (ending == UNHEARD) {
            put32(request + FLAGS, get32(request + FLAGS) | 8);
            continue;
        }
        if (ending == GONE_AMID_WORDS) fail("Cannot finish as the daemon ended while it answered", "", "");
        /* A daemon that is being killed may accept for a moment more. */
        (void)poll(NULL, 0, RETRY_PAUSE_MS);
    }
    fail("Cannot get an answer as the daemon ended each time; see ", llama_dir, "/daemon.log");
}
