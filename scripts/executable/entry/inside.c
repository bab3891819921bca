// The loader inside: it gets a start of its own, whose environment names the other libraries inside
// and nothing of the user's that would mix the machine's with them. The program then gets its own.

#include "entry.h"

#define PRELOAD "LD_PRELOAD="
/** "/proc/PID/fd/N:" with the longest numbers. */
#define PATH_ROOM 40

/** Stands behind the auxiliary vector of the loader's start. */
struct kept {
  /** Where the kernel has put the program's start. */
  word *stack;
  word descriptor_count;
  long descriptors[LIBRARIES_MAX];
  char preload[sizeof PRELOAD + LIBRARIES_MAX * PATH_ROOM];
};

/** Linux 6.3: nobody may run it as a program, which a locked down machine insists on. */
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8U
#endif

/** Tells the program that this loader was used, as getauxval(3) tells it: ffi/own_loader.ts. */
#define AT_OWN_LOADER 0x6d707473

/** The program's first instruction from the loader's point of view. */
extern const char loaded[] HIDDEN;

static word word_count(const struct start *start) {
  Elf64_auxv_t *end = start->auxiliary;
  while (end->a_type != AT_NULL) end++;
  return (word *)(end + 1) - start->stack;
}

word room_inside(const struct start *start) {
  // One variable more, one entry more of the auxiliary vector.
  return (word_count(start) + 1 + 2) * sizeof(word) + sizeof(struct kept);
}

/** Copies a library to memory; the loader opens it by its descriptor. */
static long copy_library(long executable, const struct library *library) {
  const char *name = library->name;
  long fd = CALL(memfd_create, name, MFD_CLOEXEC | MFD_NOEXEC_SEAL, 0, 0, 0, 0);
  if (fd == -EINVAL) fd = CALL(memfd_create, name, MFD_CLOEXEC, 0, 0, 0, 0);
  if (failed(fd)) return fd;
  word offset = library->offset, left = library->size;
  while (left) {
    long count = CALL(sendfile, fd, executable, &offset, left, 0, 0);
    if (count == 0) return -EIO;
    if (failed(count)) return count;
    left -= count;
  }
  return fd;
}

/**
 * Whoever looks at the process from outside, as a debugger does, takes these paths for files: it must
 * not find its own descriptors there.
 */
static void name_descriptors(char folder[PATH_ROOM]) {
  char pid[16];
  long length = CALL(readlinkat, AT_FDCWD, "/proc/self", pid, sizeof pid - 1, 0, 0);
  pid[failed(length) ? 0 : length] = 0;
  const char *end = folder + PATH_ROOM;
  append(append(append(folder, end, "/proc/"), end, pid), end, "/fd/");
}

static void preload(long executable, struct kept *kept) {
  const char *end = kept->preload + sizeof kept->preload;
  char *at = append(kept->preload, end, PRELOAD);
  char descriptors[PATH_ROOM];
  name_descriptors(descriptors);
  kept->descriptor_count = 0;
  for (word i = 1; i < table.library_count; i++) {
    long fd = copy_library(executable, &table.libraries[i]);
    if (failed(fd)) {
      char errno[32];
      append_number(errno, errno + sizeof errno, error_of(fd));
      refuse("the libraries inside cannot be copied to memory (memfd_create: errno ", errno, ")");
    }
    kept->descriptors[kept->descriptor_count++] = fd;
    if (i > 1) at = append(at, end, ":");
    at = append_number(append(at, end, descriptors), end, fd);
  }
}

/** What would have our loader look where the machine's looks. */
static int misleads(const char *variable) {
  return behind(variable, PRELOAD) || behind(variable, "LD_LIBRARY_PATH=") ||
         behind(variable, "LD_AUDIT=");
}

/** Writes a start for the loader inside to `stack`; returns the loader's entry. */
HIDDEN word enter_inside(word *kernels, word *stack) {
  struct start start, own;
  read_start(kernels, &start);
  if (auxiliary_value(&start, AT_SECURE)) {
    refuse("a program with its owner's powers or capabilities needs the machine's glibc", "", "");
  }
  word *to = stack;
  const word *from = kernels;
  for (; from < (word *)start.environment; from++) *to++ = *from;
  for (; *from; from++) *to++ = misleads((char *)*from) ? (word) "" : *from;
  char **last = (char **)to++;
  *to++ = *from++;
  own.stack = stack;
  own.auxiliary = (Elf64_auxv_t *)to;
  *to++ = AT_OWN_LOADER;
  *to++ = 1;
  for (const word *end = kernels + word_count(&start); from < end; from++) *to++ = *from;

  struct kept *kept = (struct kept *)to;
  kept->stack = kernels;
  *last = kept->preload;
  long executable = open_file("/proc/self/exe");
  preload(executable, kept);
  struct loader loader;
  const struct library *library = &table.libraries[0];
  if (!map_loader(&start, executable, library->offset, library->size, &loader)) {
    refuse("the loader inside cannot be brought into memory", "", "");
  }
  close_file(executable);
  tell_loader(&own, &loader, (word)loaded);
  return loader.entry;
}

/** Makes the loader's start the program's again; returns the program's entry. */
HIDDEN word leave(word *stack) {
  struct start own, start;
  read_start(stack, &own);
  struct kept *kept = (struct kept *)(stack + word_count(&own));
  read_start(kept->stack, &start);
  for (word i = 0; i < kept->descriptor_count; i++) close_file(kept->descriptors[i]);
  // The last place, which was the loader's, stays empty.
  word count = (char **)start.auxiliary - start.environment;
  for (word i = 0; i < count; i++) own.environment[i] = start.environment[i];
  return (word)code + table.program_entry;
}
