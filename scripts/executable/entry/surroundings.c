// What the runtime cannot live with and would end of with a stack of addresses, before any of it was
// loaded: COMPATIBILITY.md, [runtime-needs].

#include "entry.h"
#include <linux/prctl.h>
#include <linux/resource.h>

#ifndef PR_GET_MDWE
#define PR_GET_MDWE 66
#endif

/** V8 reserves 32 GiB that begin at a multiple of that; where it is out of luck, within 64. */
#define ADDRESSES_MIN (64UL << 30)
/** With fewer the runtime does not start; the program says itself what it misses then. */
#define DESCRIPTORS_MIN 16UL
#define STACK_MIN (192UL << 10)

#define STDERR 2
#define MESSAGE_SIZE 8192

void refuse(const char *sentence, const char *more, const char *end) {
  char message[MESSAGE_SIZE];
  const char *behind_it = message + sizeof message - 1;
  char *at = append(message, behind_it, "swtpm: ");
  at = append(append(append(at, behind_it, sentence), behind_it, more), behind_it, end);
  *at++ = '\n';
  CALL(write, STDERR, message, at - message, 0, 0, 0);
  for (;;) CALL(exit_group, 1, 0, 0, 0, 0, 0);
}

/** The limit on a resource, where it is below `least`; 0 where it is not. */
static word short_of(int resource, word least) {
  struct rlimit limit;
  if (failed(CALL(prlimit64, 0, resource, 0, &limit, 0, 0))) return 0;
  return limit.rlim_cur < least ? limit.rlim_cur + 1 : 0;
}

static void check_limit(int resource, word least, word unit, const char *before,
                        const char *after) {
  word limit = short_of(resource, least);
  if (!limit) return;
  char digits[32];
  append_number(digits, digits + sizeof digits, (limit - 1) / unit);
  refuse(before, digits, after);
}

static void check_executable(const struct start *start) {
  const char *path = (const char *)auxiliary_value(start, AT_EXECFN);
  long fd = open_file("/proc/self/exe");
  if (!failed(fd)) return close_file(fd);
  if (error_of(fd) == EACCES) {
    refuse("'", path, "' may be started, but not read, and the runtime reads the program in it:\n"
           "'chmod a+r' lets it");
  }
  refuse("there is no /proc here, by which the runtime finds itself:\n"
         "'mount -t proc proc /proc' makes it, in a container's or a chroot's root, too", "", "");
}

/** A page that becomes executable, as those do that V8 writes code to. */
static void check_code(void) {
  long page = map(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (failed(page)) return;
  long result = CALL(mprotect, page, 4096, PROT_READ | PROT_EXEC, 0, 0, 0);
  unmap(page, 4096);
  if (!failed(result)) return;
  refuse("memory may not be made executable here, and the runtime compiles the program:\n"
         "a service must not have systemd's 'MemoryDenyWriteExecute=yes'", "", "");
}

void check_surroundings(const struct start *start) {
  check_executable(start);
  check_limit(RLIMIT_AS, ADDRESSES_MIN, 1 << 20, "only ",
              " MiB of address space are allowed (RLIMIT_AS, 'ulimit -v'), and the runtime "
              "reserves 64 GiB,\nof which it takes little: lift that limit, or bound memory by a "
              "control group");
  check_limit(RLIMIT_STACK, STACK_MIN, 1 << 10, "only ",
              " KiB of stack are allowed (RLIMIT_STACK, 'ulimit -s'), and the runtime needs 192");
  check_limit(RLIMIT_NOFILE, DESCRIPTORS_MIN, 1, "only ",
              " descriptors are allowed (RLIMIT_NOFILE, 'ulimit -n'), and a TPM needs 24");
  check_code();
}
