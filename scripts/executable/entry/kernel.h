// The kernel as the entry code sees it: system calls without a C library, and a few strings.

#pragma once
#include <asm/unistd.h>
#include <asm/errno.h>
#include <elf.h>
#include <linux/fcntl.h>
#include <linux/memfd.h>
#include <linux/mman.h>

typedef unsigned long word;

#define HIDDEN __attribute__((visibility("hidden")))

/** A result between -4095 and -1 is an errno, negated. */
static inline long system_call(long number, long a, long b, long c, long d, long e, long f) {
#if defined(__x86_64__)
  long result;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
#elif defined(__aarch64__)
  register long x8 __asm__("x8") = number;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  register long x4 __asm__("x4") = e;
  register long x5 __asm__("x5") = f;
  __asm__ volatile("svc 0"
                   : "+r"(x0)
                   : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                   : "memory");
  return x0;
#else
#error "this processor has no system calls here"
#endif
}

#define CALL(name, a, b, c, d, e, f) \
  system_call(__NR_##name, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

static inline int failed(long result) { return (word)result > -4096UL; }

/** errno of a call that failed, 0 of one that did not. */
static inline long error_of(long result) { return failed(result) ? -result : 0; }

static inline long open_file(const char *path) {
  return CALL(openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0, 0, 0);
}

static inline void close_file(long fd) { CALL(close, fd, 0, 0, 0, 0, 0); }

static inline long read_at(long fd, void *to, word size, word at) {
  return CALL(pread64, fd, to, size, at, 0, 0);
}

static inline int exists(const char *path) {
  return !failed(CALL(faccessat, AT_FDCWD, path, 0, 0, 0, 0));
}

static inline long map(word at, word size, int protection, int flags, long fd, word offset) {
  return CALL(mmap, at, size, protection, flags, fd, offset);
}

static inline void unmap(word at, word size) { CALL(munmap, at, size, 0, 0, 0, 0); }

/** Appends text to text; returns where more goes. `end` is one byte behind the room. */
static inline char *append(char *to, const char *end, const char *text) {
  while (*text && to < end - 1) *to++ = *text++;
  *to = 0;
  return to;
}

static inline char *append_number(char *to, const char *end, word number) {
  char digits[21];
  char *at = digits + sizeof digits - 1;
  *at = 0;
  do *--at = '0' + number % 10; while (number /= 10);
  return append(to, end, at);
}

/** What stands behind `start` in `text`; 0 when it begins otherwise. */
static inline const char *behind(const char *text, const char *start) {
  while (*start) if (*text++ != *start++) return 0;
  return text;
}

static inline int same(const char *text, const char *other) {
  const char *rest = behind(text, other);
  return rest && !*rest;
}

/** Where `text` stands in `size` bytes; 0 for nowhere. */
static inline const char *find(const char *bytes, word size, const char *text) {
  word length = 0;
  while (text[length]) length++;
  for (const char *last = bytes + size; bytes + length <= last; bytes++) {
    if (*bytes != *text) continue;
    word i = 1;
    while (i < length && bytes[i] == text[i]) i++;
    if (i == length) return bytes;
  }
  return 0;
}
