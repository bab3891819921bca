// From the kernel to the entry code, from there to a loader, and, when the loader inside has done its
// work, back and to the program.

.section .text.start, "ax"
.globl start
.hidden start, enter, enter_inside, loaded, leave
#if defined(__x86_64__)
start:
  xor %ebp, %ebp
  mov %rsp, %rbx
  mov %rsp, %rdi
  call enter                    // (stack) -> loader's entry, or 0 and room for another stack
  test %rax, %rax
  jnz 1f
  mov %rbx, %rdi
  sub %rdx, %rbx
  and $-16, %rbx
  mov %rbx, %rsp
  mov %rbx, %rsi
  call enter_inside             // (stack, other stack) -> loader's entry
1:
  mov %rbx, %rsp
  xor %edx, %edx
  jmp *%rax

.globl loaded
loaded:                         // called as a program is: rdx is a function for atexit(3)
  mov %rsp, %rbx
  mov %rdx, %r12
  mov %rsp, %rdi
  call leave                    // (stack) -> program's entry
  mov %rbx, %rsp
  mov %r12, %rdx
  jmp *%rax
#elif defined(__aarch64__)
start:
  mov x29, xzr
  mov x30, xzr
  mov x19, sp
  mov x0, sp
  bl enter                      // (stack) -> loader's entry, or 0 and room for another stack
  mov x16, x0
  cbnz x0, 1f
  mov x0, x19
  sub x19, x19, x1
  and x19, x19, #-16
  mov sp, x19
  mov x1, x19
  bl enter_inside               // (stack, other stack) -> loader's entry
  mov x16, x0
1:
  mov sp, x19
  mov x0, xzr
  mov x29, xzr
  mov x30, xzr
  br x16

.globl loaded
loaded:                         // called as a program is: x0 is a function for atexit(3)
  mov x19, sp
  mov x20, x0
  mov x0, sp
  bl leave                      // (stack) -> program's entry
  mov x16, x0
  mov sp, x19
  mov x0, x20
  mov x29, xzr
  mov x30, xzr
  br x16
#endif

.section .note.GNU-stack, "", %progbits
