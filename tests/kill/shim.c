/* Counts calls that change files, over every process that has this preloaded, in a shared page. From call number
   `stop_at` on, every process freezes before its next one (and a write may be cut in two); the referee then ends
   them all. Windows of a few microseconds are hit as reliably as long ones, in git's own code too. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static struct page { volatile long count, stop_at, cut, frozen; } *page;

static void attach(void) {
  static int done;
  if (done) return;
  done = 1;
  const char *path = getenv("KILL_PAGE");
  if (!path) return;
  int (*real)(const char *, int, ...) = dlsym(RTLD_NEXT, "open");
  int fd = real(path, O_RDWR | O_CLOEXEC);
  if (fd < 0) return;
  void *mapped = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  if (mapped != MAP_FAILED) page = mapped;
}

static void freeze(void) { page->frozen = 1; for (;;) pause(); }

static long arrive(void) {
  attach();
  if (!page) return 0;
  long number = __sync_add_and_fetch(&page->count, 1);
  if (page->stop_at > 0 && number > page->stop_at) freeze();
  return number;
}

static void change(void) { if (page || (attach(), page)) { if (arrive() == page->stop_at) freeze(); } }

#define CALL(type, name, params, args) \
  type name params { static type (*real) params; if (!real) real = dlsym(RTLD_NEXT, #name); change(); return real args; }
CALL(int, rename, (const char *a, const char *b), (a, b))
CALL(int, renameat, (int x, const char *a, int y, const char *b), (x, a, y, b))
CALL(int, renameat2, (int x, const char *a, int y, const char *b, unsigned f), (x, a, y, b, f))
CALL(int, unlink, (const char *a), (a))
CALL(int, unlinkat, (int d, const char *a, int f), (d, a, f))
CALL(int, rmdir, (const char *a), (a))
CALL(int, mkdir, (const char *a, mode_t m), (a, m))
CALL(int, mkdirat, (int d, const char *a, mode_t m), (d, a, m))
CALL(int, symlink, (const char *a, const char *b), (a, b))
CALL(int, symlinkat, (const char *a, int d, const char *b), (a, d, b))
CALL(int, link, (const char *a, const char *b), (a, b))
CALL(int, linkat, (int x, const char *a, int y, const char *b, int f), (x, a, y, b, f))
CALL(int, chmod, (const char *a, mode_t m), (a, m))
CALL(int, fchmodat, (int d, const char *a, mode_t m, int f), (d, a, m, f))
CALL(int, ftruncate, (int d, off_t n), (d, n))
CALL(int, ftruncate64, (int d, off64_t n), (d, n))
CALL(ssize_t, pwrite64, (int d, const void *b, size_t n, off64_t o), (d, b, n, o))

#define MODE int mode = 0; \
  if (flags & (O_CREAT | O_TMPFILE)) { va_list list; va_start(list, flags); mode = va_arg(list, int); va_end(list); } \
  if (flags & (O_CREAT | O_TRUNC)) change();
#define OPEN(name) int name(const char *path, int flags, ...) { \
  static int (*real)(const char *, int, ...); if (!real) real = dlsym(RTLD_NEXT, #name); \
  MODE return real(path, flags, mode); }
#define OPENAT(name) int name(int folder, const char *path, int flags, ...) { \
  static int (*real)(int, const char *, int, ...); if (!real) real = dlsym(RTLD_NEXT, #name); \
  MODE return real(folder, path, flags, mode); }
OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)

ssize_t write(int fd, const void *bytes, size_t size) {
  static ssize_t (*real)(int, const void *, size_t);
  if (!real) real = dlsym(RTLD_NEXT, "write");
  struct stat info;
  attach();
  if (page && size && fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && arrive() == page->stop_at) {
    if (page->cut && size > 1) real(fd, bytes, size / 2);
    freeze();
  }
  return real(fd, bytes, size);
}
