// The machine's own glibc: whether there is one, how old it is, and whether the machine has what the
// runtime and libtpms need beside it. On most machines all of it is a handful of system calls.

#include "entry.h"

#define PATH_SIZE 4096
/** A symbol that glibc's loader alone has. */
#define MARK "_rtld_global"
/** What a loader says it is, from 2.33 on: "… release version 2.36." */
#define VERSION "release version 2."
/** Before 2.34 the loader's file has such a name, and its usual one is a link. */
#define OLD_NAME "/ld-2."
#define CACHE "/etc/ld.so.cache"

/** A file as bytes in memory. */
struct view {
  const char *bytes;
  word size;
};

static struct view view_file(long fd) {
  long size = CALL(lseek, fd, 0, 2 /* SEEK_END */, 0, 0, 0);
  long bytes = failed(size) ? size : map(0, size, PROT_READ, MAP_PRIVATE, fd, 0);
  return failed(bytes) ? (struct view){0, 0} : (struct view){(const char *)bytes, size};
}

static void close_view(struct view view) {
  if (view.bytes) CALL(munmap, view.bytes, view.size, 0, 0, 0, 0);
}

static word number(const char *digits) {
  word value = 0;
  while (*digits >= '0' && *digits <= '9') value = value * 10 + *digits++ - '0';
  return value;
}

/** The real path of an open file; returns the length of its folder's, 0 for none. */
static word path_of(long fd, char path[PATH_SIZE]) {
  char link[64];
  append_number(append(link, link + sizeof link, "/proc/self/fd/"), link + sizeof link, fd);
  long length = CALL(readlinkat, AT_FDCWD, link, path, PATH_SIZE - 1, 0, 0);
  if (failed(length)) length = 0;
  path[length] = 0;
  while (length > 0 && path[length - 1] != '/') length--;
  return length;
}

/** Whether the loader's folder, or one of those that distributions have, has such a file. */
static int has_library(char path[PATH_SIZE], word folder, const char *name) {
  append(path + folder, path + PATH_SIZE, name);
  if (folder && exists(path)) return 1;
  for (const char *other = table.folders; *other;) {
    append(append(path, path + PATH_SIZE, other), path + PATH_SIZE, name);
    if (exists(path)) return 1;
    while (*other++) {}
  }
  return 0;
}

/** Whether the loader looks for libraries where nobody else knows. */
static int has_folders_of_its_own(const struct start *start) {
  const char *path = variable(start, "LD_LIBRARY_PATH=");
  const char *preload = variable(start, "LD_PRELOAD=");
  return (path && *path) || (preload && *preload);
}

/** Whether a library is in the list that ldconfig(8) makes. */
static int is_cached(const char *name) {
  long fd = open_file(CACHE);
  if (failed(fd)) return 0;
  struct view cache = view_file(fd);
  close_file(fd);
  int is = find(cache.bytes, cache.size, name) != 0;
  close_view(cache);
  return is;
}

/** The libtpms that is asked for, if one is; COMMAND's words come behind "--". */
static const char *wanted_libtpms(const struct start *start) {
  const char *wanted = variable(start, "SWTPM_LIBTPMS=");
  for (word i = 1; i < start->argc && !same(start->argv[i], "--"); i++) {
    const char *value = behind(start->argv[i], "--libtpms=");
    if (value) wanted = value;
    else if (same(start->argv[i], "--libtpms") && start->argv[i + 1]) wanted = start->argv[i + 1];
  }
  return wanted && *wanted ? wanted : 0;
}

/** Whether libtpms works with this glibc: the machine's, a named one, or else the one inside. */
static int serves_libtpms(const struct start *start, struct view loader, char path[PATH_SIZE],
                          word folder) {
  const char *libtpms = "libtpms.so.0";
  const char *wanted = wanted_libtpms(start);
  if (wanted && !same(wanted, "embedded")) return 1;
  if (!wanted && (has_library(path, folder, libtpms) || has_folders_of_its_own(start) ||
                  is_cached(libtpms))) {
    return 1;
  }
  const char *version = find(loader.bytes, loader.size, VERSION);
  return version && number(version + sizeof VERSION - 1) >= table.libtpms_needs;
}

static const char *hindrance_of(const struct start *start, int insists, long fd,
                                struct view loader) {
  if (!find(loader.bytes, loader.size, MARK)) return "its loader is not glibc's";
  char path[PATH_SIZE];
  word folder = path_of(fd, path);
  const char *old = folder ? behind(path + folder - 1, OLD_NAME) : 0;
  if (old && number(old) < table.runtime_needs) return "its glibc is too old for the runtime";
  if (insists) return 0;
  if (!has_library(path, folder, "libgcc_s.so.1") && !has_folders_of_its_own(start)) {
    return "it has no libgcc_s.so.1";
  }
  if (!serves_libtpms(start, loader, path, folder)) {
    return "its glibc is too old for the libtpms inside";
  }
  return 0;
}

const char *map_machines_loader(const struct start *start, int insists, struct loader *loader) {
  long fd = open_file(table.loader);
  if (failed(fd)) return "it has none";
  struct view view = view_file(fd);
  const char *hindrance = hindrance_of(start, insists, fd, view);
  if (!hindrance && !map_loader(start, fd, 0, view.size, loader)) {
    hindrance = "its loader cannot be loaded";
  }
  close_view(view);
  close_file(fd);
  return hindrance;
}
