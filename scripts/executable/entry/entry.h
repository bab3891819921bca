// What the entry code's files know of each other, and what is put behind the code for it.

#pragma once
#include "kernel.h"

#define LIBRARIES_MAX 8

/** A file inside the executable. */
struct library {
  word offset, size;
  char name[32];
};

/** Written by ../own_loader.ts, which has the same layout. */
struct table {
  /** From the code's first byte to the program's own entry, and to its own program headers. */
  long program_entry, program_headers;
  word program_header_count;
  /** What follows "2." in the glibc that the runtime, and the libtpms inside, need at least. */
  word runtime_needs, libtpms_needs;
  /** The loader that the program asks for. */
  char loader[64];
  /** Where distributions have libraries: paths that end in "/", each with a NUL; an empty one ends. */
  char folders[256];
  word library_count;
  /** glibc's loader is the first; the others are loaded with it. */
  struct library libraries[LIBRARIES_MAX];
};
extern const struct table table HIDDEN;
/** The first byte of the code. */
extern const char code[] HIDDEN;

/** What the kernel puts on the stack of a new program (System V ABI, "Process Initialization"). */
struct start {
  word *stack, argc;
  char **argv, **environment;
  Elf64_auxv_t *auxiliary;
};

void read_start(word *stack, struct start *start) HIDDEN;

/** The value of a variable; 0 where it is not set. */
const char *variable(const struct start *start, const char *name) HIDDEN;

/** The value of an entry of the auxiliary vector. */
word auxiliary_value(const struct start *start, word type) HIDDEN;

/** A loader in memory. */
struct loader {
  word base, entry;
};

/** Maps a loader as the kernel would; 0 when there is none at this place. */
int map_loader(const struct start *start, long fd, word offset, word size,
               struct loader *loader) HIDDEN;

/** What the loader is told of the program; the kernel has found other program headers. */
void tell_loader(const struct start *start, const struct loader *loader, word entry) HIDDEN;

/** Says what the runtime cannot live with, and ends. */
void check_surroundings(const struct start *start) HIDDEN;

/** Says what stands in the way, in up to three pieces, and ends. */
_Noreturn void refuse(const char *sentence, const char *more, const char *end) HIDDEN;

/** Why the machine's own glibc does not serve; 0 where it does, and its loader is in memory. */
const char *map_machines_loader(const struct start *start, int insists,
                                struct loader *loader) HIDDEN;

/** How many bytes the start for the loader inside takes. */
word room_inside(const struct start *start) HIDDEN;
