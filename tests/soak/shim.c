/* Writes down, in their order, a process's changes to the files below one folder and what it sends, and kills it after
   so many of them: from that a test makes the disk as a power cut might have left it. Loaded by LD_PRELOAD; does
   nothing before soak_arm() is called. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static int trace = -1;
static char root[PATH_MAX];
static size_t root_length;
static long last, count;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

void soak_arm(const char *trace_path, const char *folder, long cut_after) {
    trace = REAL(open)(trace_path, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);
    root_length = strlen(strcpy(root, folder));
    last = cut_after;
}

/* One record: what, two lengths, an offset, then a path and data. The caller has its turn. */
static void put(char what, const char *path, uint64_t offset, const void *data, uint32_t length) {
    struct { char what; char pad[3]; uint32_t path; uint32_t length; uint32_t pad2; uint64_t offset; } head = {0};
    head.what = what, head.path = strlen(path), head.length = length, head.offset = offset;
    REAL(write)(trace, &head, sizeof head);
    REAL(write)(trace, path, head.path);
    if (length) REAL(write)(trace, data, length);
    if (++count == last) kill(getpid(), SIGKILL), pause();
}

static int ours(const char *path) {
    return trace >= 0 && path && !strncmp(path, root, root_length) && !strstr(path, "-shm") && !strstr(path, ".lock");
}

static int name_of(int fd, char *path) {
    char link[64];
    if (trace < 0) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    path[length < 0 ? 0 : length] = 0;
    return ours(path);
}

#define AROUND(type, call, is_ours, record) \
    if (!(is_ours)) return call; \
    pthread_mutex_lock(&turn); \
    type result = call; \
    if (result >= 0) record; \
    pthread_mutex_unlock(&turn); \
    return result;

ssize_t pwrite64(int fd, const void *data, size_t length, off64_t offset) {
    char path[PATH_MAX];
    AROUND(ssize_t, REAL(pwrite64)(fd, data, length, offset), name_of(fd, path), put('w', path, offset, data, result))
}
ssize_t pwrite(int fd, const void *data, size_t length, off_t offset) { return pwrite64(fd, data, length, offset); }

ssize_t write(int fd, const void *data, size_t length) {
    char path[PATH_MAX];
    AROUND(ssize_t, REAL(write)(fd, data, length), name_of(fd, path),
           put('w', path, lseek(fd, 0, SEEK_CUR) - result, data, result))
}

int ftruncate64(int fd, off64_t length) {
    char path[PATH_MAX];
    AROUND(int, REAL(ftruncate64)(fd, length), name_of(fd, path), put('t', path, length, 0, 0))
}
int ftruncate(int fd, off_t length) { return ftruncate64(fd, length); }

int fsync(int fd) {
    char path[PATH_MAX];
    AROUND(int, REAL(fsync)(fd), name_of(fd, path), put('s', path, 0, 0, 0))
}
int fdatasync(int fd) {
    char path[PATH_MAX];
    AROUND(int, REAL(fdatasync)(fd), name_of(fd, path), put('s', path, 0, 0, 0))
}

static int opened(int fd, const char *path, int flags, int was_there) {
    if (fd < 0 || !ours(path)) return fd;
    pthread_mutex_lock(&turn);
    if (!was_there) put('c', path, 0, 0, 0);
    else if (flags & O_TRUNC) put('t', path, 0, 0, 0);
    pthread_mutex_unlock(&turn);
    return fd;
}

#define OPEN(name) \
    int name(const char *path, int flags, ...) { \
        va_list rest; \
        va_start(rest, flags); \
        mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0; \
        va_end(rest); \
        int was_there = !ours(path) || !access(path, F_OK); \
        return opened(REAL(name)(path, flags, mode), path, flags, was_there); \
    }
OPEN(open)
OPEN(open64)

int unlink(const char *path) { AROUND(int, REAL(unlink)(path), ours(path), put('u', path, 0, 0, 0)) }

int rename(const char *old, const char *new) {
    AROUND(int, REAL(rename)(old, new), ours(old), put('r', old, 0, new, strlen(new)))
}
int link(const char *old, const char *new) {
    AROUND(int, REAL(link)(old, new), ours(old), put('l', old, 0, new, strlen(new)))
}
int linkat(int a, const char *old, int b, const char *new, int flags) {
    AROUND(int, REAL(linkat)(a, old, b, new, flags), ours(old), put('l', old, 0, new, strlen(new)))
}

/* Before it is on its way: whoever gets it may act on it at once. */
ssize_t send(int fd, const void *data, size_t length, int flags) {
    if (trace >= 0) {
        pthread_mutex_lock(&turn);
        put('n', "", 0, data, length);
        pthread_mutex_unlock(&turn);
    }
    return REAL(send)(fd, data, length, flags);
}
