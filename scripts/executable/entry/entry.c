// The executable's first instructions: which loader makes a program of it, the machine's or the one
// inside. The program headers that the kernel reads ask for none.

#include "entry.h"

struct entered {
  /** 0: the loader inside, for which there has to be room on the stack. */
  word entry, room;
};

HIDDEN struct entered enter(word *stack) {
  struct start start;
  read_start(stack, &start);
  check_surroundings(&start);
  const char *wish = variable(&start, "SWTPM_LOADER=");
  int automatic = !wish || !*wish;
  int insists = !automatic && same(wish, "system");
  if (!automatic && !insists && !same(wish, "own")) {
    refuse("SWTPM_LOADER is 'system' or 'own', not '", wish, "'");
  }
  const char *hindrance = "SWTPM_LOADER=own says so";
  if (automatic || insists) {
    struct loader loader;
    hindrance = map_machines_loader(&start, insists, &loader);
    if (!hindrance) {
      tell_loader(&start, &loader, (word)code + table.program_entry);
      return (struct entered){.entry = loader.entry};
    }
    if (insists) refuse("SWTPM_LOADER=system: ", hindrance, "");
  }
  if (!table.library_count) {
    refuse("the machine's glibc is not used (", hindrance, "), and this program has none inside");
  }
  return (struct entered){.room = room_inside(&start)};
}
