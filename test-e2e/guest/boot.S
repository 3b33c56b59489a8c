/*
 * Entry from the VMM by the PVH boot protocol, the way into 64-bit mode, and the interrupt stubs.
 *
 * The VMM enters at pvh_start in 32-bit protected mode without paging, %ebx pointing at hvm_start_info.
 * 64-bit mode is needed because Cloud Hypervisor puts PCI BARs and ACPI registers at the top of physical memory.
 *
 * Everything here is static data rather than code that builds it: on hosts without hardware virtualization each guest
 * instruction is emulated (about half a microsecond each), so filling 2048 page table entries would cost more than
 * the rest of the boot.
 */

/* XEN_ELFNOTE_PHYS32_ENTRY: where a PVH VMM enters. QEMU reads eight bytes of it. */
.section .note.pvh, "a", @note
.align 4
.long 4, 8, 18
.asciz "Xen"
.quad pvh_start

.section .text.boot, "ax", @progbits
.code32
.globl pvh_start
pvh_start:
    cld
    lgdt gdt_pointer
    mov $page_map, %eax
    mov %eax, %cr3
    mov $0x20, %eax                 /* CR4.PAE */
    mov %eax, %cr4
    mov $0xc0000080, %ecx           /* EFER */
    rdmsr
    or $0x100, %eax                 /* EFER.LME */
    wrmsr
    mov $0x80000001, %eax           /* CR0.PG | CR0.PE */
    mov %eax, %cr0
    ljmp $8, $long_mode

.code64
long_mode:
    mov $16, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss
    mov $stack_top, %rsp
    lidt idt_pointer
    mov %ebx, %edi                  /* zero-extended: the start info lies below 4 GiB */
    call main
    ud2                             /* main never returns */

/*
 * int wait_for_interrupt(void): sleeps until an interrupt comes and returns its vector.
 *
 * Interrupts are enabled nowhere else, so a stub has nothing to save: it takes the stack pointer that the CPU
 * pushed (which points at our return address) and returns from here in the caller's stead, interrupts off.
 * That also avoids `iretq`, which not every emulator of guest code knows.
 */
.globl wait_for_interrupt
wait_for_interrupt:
    sti
    hlt
    cli                             /* woken by something that is not ours, such as an NMI */
    xor %eax, %eax
    ret

interrupted:
    mov 24(%rsp), %rsp
    ret

.macro wake vector
wake_\vector:
    mov $\vector, %eax
    jmp interrupted
.endm
wake 0x20
wake 0x21
wake 0x22
wake 0x23

/* An interrupt that was taken back before it arrived: nothing to handle or to acknowledge. */
spurious:
    xor %eax, %eax
    jmp interrupted

nmi:
    incl nmi_count
    iretq

/* Exceptions are bugs of this program: tell which one and where. */
.macro fault vector, error_code_bytes
fault_\vector:
    mov \error_code_bytes(%rsp), %rsi
    mov $\vector, %edi
    mov %cr2, %rdx
    and $~15, %rsp
    call exception
.endm
fault 6, 0
fault 13, 8
fault 14, 8

/* void triple_fault(void): with an empty IDT, any exception ends in a shutdown of the CPU. */
.globl triple_fault
triple_fault:
    lidt empty_idt_pointer
    ud2

.section .data
.align 8
.globl nmi_count
nmi_count:
    .long 0

.align 8
gdt:
    .quad 0
    .quad 0x00af9b000000ffff        /* 8: 64-bit code */
    .quad 0x00cf93000000ffff        /* 16: data */
gdt_pointer:
    .word . - gdt - 1
    .long gdt

/*
 * Interrupt gates. A gate holds its address in halves, which a linker cannot split; but this section begins at
 * 0x200000 (guest.ld asserts it), so the upper half is known and the lower one is the distance from its start.
 */
.macro gate target
    .word \target - pvh_start, 8, 0x8e00, 0x20, 0, 0, 0, 0
.endm
.macro no_gate count
    .fill \count * 16, 1, 0
.endm
.align 8
idt:
    no_gate 2
    gate nmi
    no_gate 3
    gate fault_6
    no_gate 6
    gate fault_13
    gate fault_14
    no_gate 17
    gate wake_0x20
    gate wake_0x21
    gate wake_0x22
    gate wake_0x23
    gate spurious
idt_pointer:
    .word . - idt - 1
    .quad idt
empty_idt_pointer:
    .word 0
    .quad 0

/* The first 4 GiB, identity mapped by 2 MiB pages; what lies above is mapped on demand (paging.c). */
.align 4096
.globl page_map
page_map:
    .quad low_pointers + 3
    .fill 511, 8, 0
low_pointers:
    .quad low_directories + 3
    .quad low_directories + 0x1003
    .quad low_directories + 0x2003
    .quad low_directories + 0x3003
    .fill 508, 8, 0
low_directories:
.set address, 0
.rept 2048
    .quad address + 0x83            /* present, writable, large */
    .set address, address + 0x200000
.endr

.align 16
    .fill 16384, 1, 0
stack_top:
