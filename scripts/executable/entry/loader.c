// A program's start as the kernel puts it on the stack, and how a loader is brought into memory and
// told of the program.

#include "entry.h"

#define PAGE 4096UL
/** Enough for a loader's headers, which stand at its beginning. */
#define HEAD_SIZE 1024

#if defined(__x86_64__)
#define MACHINE EM_X86_64
#elif defined(__aarch64__)
#define MACHINE EM_AARCH64
#endif

void read_start(word *stack, struct start *start) {
  start->stack = stack;
  start->argc = stack[0];
  start->argv = (char **)stack + 1;
  start->environment = start->argv + start->argc + 1;
  char **end = start->environment;
  while (*end) end++;
  start->auxiliary = (Elf64_auxv_t *)(end + 1);
}

const char *variable(const struct start *start, const char *name) {
  for (char **at = start->environment; *at; at++) {
    const char *value = behind(*at, name);
    if (value) return value;
  }
  return 0;
}

word auxiliary_value(const struct start *start, word type) {
  for (Elf64_auxv_t *at = start->auxiliary; at->a_type != AT_NULL; at++) {
    if (at->a_type == type) return at->a_un.a_val;
  }
  return 0;
}

void tell_loader(const struct start *start, const struct loader *loader, word entry) {
  for (Elf64_auxv_t *at = start->auxiliary; at->a_type != AT_NULL; at++) {
    word *value = &at->a_un.a_val;
    if (at->a_type == AT_PHDR) *value = (word)code + table.program_headers;
    if (at->a_type == AT_PHNUM) *value = table.program_header_count;
    if (at->a_type == AT_BASE) *value = loader->base;
    if (at->a_type == AT_ENTRY) *value = entry;
  }
}

static int is_loader(const Elf64_Ehdr *head) {
  const unsigned char *magic = head->e_ident;
  return magic[0] == 0x7f && magic[1] == 'E' && magic[2] == 'L' && magic[3] == 'F' &&
         magic[EI_CLASS] == ELFCLASS64 && head->e_type == ET_DYN && head->e_machine == MACHINE &&
         head->e_phentsize == sizeof(Elf64_Phdr) &&
         head->e_phoff <= HEAD_SIZE - head->e_phnum * sizeof(Elf64_Phdr) &&
         head->e_phnum <= HEAD_SIZE / sizeof(Elf64_Phdr);
}

static int map_segment(word base, const Elf64_Phdr *segment, long fd, word offset, word page) {
  int protection = (segment->p_flags & PF_R ? PROT_READ : 0) |
                   (segment->p_flags & PF_W ? PROT_WRITE : 0) |
                   (segment->p_flags & PF_X ? PROT_EXEC : 0);
  word skew = segment->p_vaddr % page;
  word begin = base + segment->p_vaddr - skew;
  word file_end = base + segment->p_vaddr + segment->p_filesz;
  word end = base + segment->p_vaddr + segment->p_memsz;
  if (failed(map(begin, segment->p_filesz + skew, protection, MAP_PRIVATE | MAP_FIXED, fd,
                 offset + segment->p_offset - skew))) {
    return 0;
  }
  if (end == file_end) return 1;
  word next = (file_end + page - 1) & -page;
  for (volatile char *zero = (char *)file_end; zero < (char *)next; zero++) *zero = 0;
  int flags = MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS;
  return end <= next || !failed(map(next, end - next, protection, flags, -1, 0));
}

int map_loader(const struct start *start, long fd, word offset, word size, struct loader *loader) {
  union {
    Elf64_Ehdr elf;
    char bytes[HEAD_SIZE];
  } head;
  word page = auxiliary_value(start, AT_PAGESZ);
  if (read_at(fd, &head, HEAD_SIZE, offset) != HEAD_SIZE || !is_loader(&head.elf)) return 0;
  const Elf64_Phdr *segments = (const Elf64_Phdr *)(head.bytes + head.elf.e_phoff);
  word end = 0;
  for (int i = 0; i < head.elf.e_phnum; i++) {
    const Elf64_Phdr *segment = &segments[i];
    if (segment->p_type != PT_LOAD) continue;
    // Behind the end of a file there is no memory, but a signal.
    if (segment->p_offset > size || segment->p_filesz > size - segment->p_offset ||
        segment->p_filesz > segment->p_memsz || segment->p_vaddr < end ||
        (segment->p_filesz < segment->p_memsz && !(segment->p_flags & PF_W)) ||
        (segment->p_vaddr - segment->p_offset) % page || segment->p_vaddr >> 32 ||
        segment->p_memsz >> 32) {
      return 0;
    }
    end = segment->p_vaddr + segment->p_memsz;
  }
  if (!end || head.elf.e_entry >= end) return 0;
  long base = map(0, end, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (failed(base)) return 0;
  for (int i = 0; i < head.elf.e_phnum; i++) {
    if (segments[i].p_type != PT_LOAD) continue;
    if (!map_segment(base, &segments[i], fd, offset, page)) {
      unmap(base, end);
      return 0;
    }
  }
  loader->base = base;
  loader->entry = base + head.elf.e_entry;
  return 1;
}
