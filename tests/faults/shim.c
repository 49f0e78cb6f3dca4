/* Stands between a process and the system (LD_PRELOAD): kills it at the n-th change of a file, or has that change fail,
 * and notes every socket that could leave the machine.
 *
 * Counted are calls that change a regular file or a folder. Nothing is counted until `arm` is called.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum { COUNT, KILL_BEFORE, KILL_HALFWAY, KILL_AFTER, FAIL_FROM, FAIL_SYNCS };

static atomic_int mode = -1;
static atomic_long calls, chosen;
static atomic_int failure;

enum { MAX_KINDS = 1 << 16 };
static char kinds[MAX_KINDS]; /* what each counted call was: w(rite), s(ync), t(runcate), r(ename), u(nlink) */

void arm(int new_mode, long at, int error) {
    calls = 0;
    chosen = at;
    failure = error;
    mode = new_mode;
}

const char *disarm(void) {
    mode = -1;
    kinds[calls < MAX_KINDS ? calls : MAX_KINDS - 1] = 0;
    return kinds;
}

static void die(void) {
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

static int is_file(int descriptor) {
    struct stat facts;
    return mode >= 0 && fstat(descriptor, &facts) == 0 && (S_ISREG(facts.st_mode) || S_ISDIR(facts.st_mode));
}

/* Whether this call is the chosen one. A failure lasts: a full disk does not empty itself. */
static int is_due(char kind) {
    if (mode < 0) return 0;
    long number = ++calls;
    if (number <= MAX_KINDS) kinds[number - 1] = kind;
    if (mode == FAIL_SYNCS) return kind == 's' && number >= chosen;
    return mode == FAIL_FROM ? number >= chosen : number == chosen;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/* One counted call: `half` is done before a death in the middle of it. */
#define GUARDED(is_counted, kind, half, call)                       \
    do {                                                            \
        int due = (is_counted) && is_due(kind);                  \
        if (due && mode == KILL_BEFORE) die();                      \
        if (due && mode == KILL_HALFWAY) { (void)!(half); die(); }  \
        if (due && (kind == 'w' || kind == 's') && mode >= FAIL_FROM) { errno = failure; return -1; } \
        __typeof__(call) result = (call);                           \
        if (due && mode == KILL_AFTER) die();                       \
        return result;                                              \
    } while (0)

ssize_t write(int fd, const void *from, size_t size) {
    GUARDED(is_file(fd), 'w', REAL(write)(fd, from, size / 2), REAL(write)(fd, from, size));
}
ssize_t pwrite(int fd, const void *from, size_t size, off_t at) {
    GUARDED(is_file(fd), 'w', REAL(pwrite)(fd, from, size / 2, at), REAL(pwrite)(fd, from, size, at));
}
ssize_t pwrite64(int fd, const void *from, size_t size, off64_t at) {
    GUARDED(is_file(fd), 'w', REAL(pwrite64)(fd, from, size / 2, at), REAL(pwrite64)(fd, from, size, at));
}
ssize_t writev(int fd, const struct iovec *parts, int count) {
    GUARDED(is_file(fd), 'w', REAL(writev)(fd, parts, count / 2), REAL(writev)(fd, parts, count));
}
ssize_t sendfile(int to, int from, off_t *at, size_t size) {
    GUARDED(is_file(to), 'w', REAL(sendfile)(to, from, at, size / 2), REAL(sendfile)(to, from, at, size));
}
ssize_t sendfile64(int to, int from, off64_t *at, size_t size) {
    GUARDED(is_file(to), 'w', REAL(sendfile64)(to, from, at, size / 2), REAL(sendfile64)(to, from, at, size));
}
int fsync(int fd) { GUARDED(is_file(fd), 's', 0, REAL(fsync)(fd)); }
int fdatasync(int fd) { GUARDED(is_file(fd), 's', 0, REAL(fdatasync)(fd)); }
int ftruncate(int fd, off_t size) { GUARDED(is_file(fd), 't', 0, REAL(ftruncate)(fd, size)); }
int ftruncate64(int fd, off64_t size) { GUARDED(is_file(fd), 't', 0, REAL(ftruncate64)(fd, size)); }
int rename(const char *from, const char *to) { GUARDED(1, 'r', 0, REAL(rename)(from, to)); }
int renameat(int a, const char *from, int b, const char *to) { GUARDED(1, 'r', 0, REAL(renameat)(a, from, b, to)); }
int unlink(const char *path) { GUARDED(1, 'u', 0, REAL(unlink)(path)); }
int unlinkat(int at, const char *path, int flags) { GUARDED(1, 'u', 0, REAL(unlinkat)(at, path, flags)); }

/* Where SHIM_SOCKETS names a file, whoever opens a socket that is not local appears in it and is refused. */
int socket(int domain, int type, int protocol) {
    const char *note = getenv("SHIM_SOCKETS");
    if (note && domain != AF_UNIX) {
        int fd = open(note, O_WRONLY | O_CREAT | O_APPEND, 0600);
        (void)!REAL(write)(fd, "socket\n", 7);
        close(fd);
        errno = EACCES;
        return -1;
    }
    return REAL(socket)(domain, type, protocol);
}
