/*
 * What the files of the test guest share. Each group of declarations belongs to the file named above it.
 *
 * The guest is a freestanding program: no C library and no headers but this one. Code that runs at boot or on every
 * tick is kept short on purpose, because hosts without hardware virtualization emulate each instruction.
 */
#ifndef GUEST_H
#define GUEST_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;
typedef int bool;

#define NULL ((void *)0)
#define true 1
#define false 0

#define PACKED __attribute__((packed))
#define ALIGNED(bytes) __attribute__((aligned(bytes)))
#define NORETURN __attribute__((noreturn))

static inline void out8(u16 port, u8 value) { __asm__ volatile("outb %0, %1" ::"a"(value), "Nd"(port)); }
static inline void out16(u16 port, u16 value) { __asm__ volatile("outw %0, %1" ::"a"(value), "Nd"(port)); }
static inline void out32(u16 port, u32 value) { __asm__ volatile("outl %0, %1" ::"a"(value), "Nd"(port)); }
static inline u8 in8(u16 port) {
  u8 value;
  __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}
static inline u16 in16(u16 port) {
  u16 value;
  __asm__ volatile("inw %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}
static inline u32 in32(u16 port) {
  u32 value;
  __asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}
static inline u64 timestamp(void) {
  u32 low, high;
  __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
  return (u64)high << 32 | low;
}
/* Keeps the compiler from moving memory accesses; x86 itself keeps the order that virtio needs, but for the case where
 * a store is followed by a load, which this guest never relies upon. */
static inline void barrier(void) { __asm__ volatile("" ::: "memory"); }

/* boot.S */
int wait_for_interrupt(void);
void NORETURN triple_fault(void);
extern u64 page_map[512];
extern u32 nmi_count;
extern char image_end[];

/* What the VMM hands over at boot (PVH: hvm_start_info). */
struct start_info {
  u32 magic, version, flags, module_count;
  u64 modules, cmdline, rsdp, memory_map;
  u32 memory_map_entries;
} PACKED;
struct memory_range {
  u64 address, size;
  u32 type, reserved;
} PACKED;
#define MEMORY_IS_RAM 1
struct module {
  u64 address, size, cmdline, reserved;
} PACKED;
extern const struct start_info *start_info;

/* text.c */
u64 text_length(const char *text);
bool text_equals(const char *a, const char *b);
bool bytes_equal(const void *a, const void *b, u64 length);
void copy_bytes(void *to, const void *from, u64 length);
/* Cuts the next word off *rest, and returns it: "" when none is left. */
char *next_word(char **rest);
/* Reads a decimal number, or hexadecimal after 0x. False when the text is not one. */
bool parse_number(const char *text, u64 *number);

/* A line in the making. What does not fit is dropped. */
struct line {
  u32 length;
  char text[1024];
};
void put_text(struct line *line, const char *text);
void put_bytes(struct line *line, const char *bytes, u64 length);
void put_decimal(struct line *line, u64 number);
void put_hex(struct line *line, u64 number, u32 digits);

/* paging.c: makes physical memory usable and returns its address, which is the physical one. */
void *map_physical(u64 address, u64 length);

/* apic.c */
enum vector { VECTOR_TICK = 0x20, VECTOR_DEVICE = 0x21, VECTOR_SERIAL = 0x22, VECTOR_ACPI = 0x23 };
#define TICK_MS 50
void apic_init(void);
/* Lets an interrupt line of the I/O APIC raise a vector. */
void route_interrupt(u32 line, enum vector vector, bool is_level);
/* Address and data of a message-signalled interrupt that raises a vector. */
u64 message_address(void);
/* Sleeps until an interrupt comes. Counts ticks. */
void sleep(void);
/* The interrupts since the last call, one bit for each vector; none is lost when a driver slept in between. */
#define EVENT(vector) (1u << ((vector) - VECTOR_TICK))
u32 take_events(void);
extern u64 ticks;

/* acpi.c */
void acpi_init(void);
void acpi_enable_events(void);
/* Handles what the VMM has to say: a device to let go of, the power button. */
void acpi_poll(void);
void set_eject_allowed(bool is_allowed);
void acpi_power_off(void);
void acpi_reset(void);
u32 acpi_processor_count(void);
extern u64 local_apic_address, io_apic_address;
extern bool ignores_power_button;

/* pci.c: devices of bus 0; silk's VMMs have no other. A slot holds one function. */
#define SLOT_COUNT 32
u32 pci_read32(u32 slot, u32 offset);
u16 pci_read16(u32 slot, u32 offset);
u8 pci_read8(u32 slot, u32 offset);
void pci_write16(u32 slot, u32 offset, u16 value);
/* Vendor in the lower half, device in the upper one; all ones where there is no device. */
u32 pci_identity(u32 slot);
/* Finds the capability with this id after `previous` (0 to begin). 0 when there is none. */
u32 pci_next_capability(u32 slot, u8 id, u32 previous);
/* Address that the VMM gave to a base address register. */
u64 pci_bar(u32 slot, u32 index);

/* virtio.c */
enum virtio_type { VIRTIO_NET = 1, VIRTIO_BLOCK = 2, VIRTIO_CONSOLE = 3, VIRTIO_ENTROPY = 4 };
#define VIRTIO_VENDOR_AND_FIRST_DEVICE 0x10401af4u
#define QUEUE_SIZE 8
struct descriptor {
  u64 address;
  u32 length;
  u16 flags, next;
} PACKED;
#define DESCRIPTOR_NEXT 1
#define DESCRIPTOR_DEVICE_WRITES 2
struct queue {
  struct descriptor descriptors[QUEUE_SIZE];
  struct {
    u16 flags, index, ring[QUEUE_SIZE], unused;
  } available;
  struct {
    u16 flags, index;
    struct {
      u32 id, length;
    } ring[QUEUE_SIZE];
  } used;
  /* How far the guest has read the used ring. */
  u16 seen;
  u16 number;
  volatile u16 *doorbell;
} ALIGNED(16);
struct virtio_device {
  u32 slot;
  volatile u8 *common, *config, *notify;
  u32 notify_multiplier;
  /* Those of features 0 to 31 that were agreed on. */
  u32 features;
};
/* Slot of the next virtio device of this type at or after `slot`; SLOT_COUNT when there is none. */
u32 virtio_find(enum virtio_type type, u32 slot);
/* Finds the registers of the device. False when the slot has no modern virtio device. */
bool virtio_locate(struct virtio_device *device, u32 slot);
/* Resets the device and agrees on VIRTIO_F_VERSION_1 and those of `wanted` that it offers (features 0 to 31). */
bool virtio_begin(struct virtio_device *device, u32 wanted);
bool virtio_add_queue(struct virtio_device *device, struct queue *queue, u16 number);
/* Has the device wake the guest when queue 0 has something new. Where it cannot, the next tick does. */
void virtio_interrupt_on_queue_0(struct virtio_device *device);
void virtio_start(struct virtio_device *device);
void virtio_reset(struct virtio_device *device);
/* Offers the chain that begins at a descriptor to the device; ring the doorbell after. */
void queue_offer(struct queue *queue, u16 descriptor);
void queue_ring(struct queue *queue);
static inline bool queue_has_used(const struct queue *queue) {
  barrier();
  return ((volatile const struct queue *)queue)->used.index != queue->seen;
}
/* Takes the next used entry: its descriptor, and how much the device wrote. */
u16 queue_take(struct queue *queue, u32 *length);
/* Sleeps until the device has used an entry. False when it has not within some seconds. */
bool queue_wait(struct queue *queue);

/* blk.c */
void block_list(struct line *reply);
void block_write(struct line *reply, const char *disk, const char *sector, const char *pattern);
void block_read(struct line *reply, const char *disk, const char *sector);
void block_flush(struct line *reply, const char *disk);
/* Forgets the disk in a slot, which is about to go. */
void block_release(u32 slot);

/* net.c */
void net_list(struct line *reply);

/* entropy.c: a number that differs from boot to boot. */
u64 random_number(void);

/* console.c */
void console_init(void);
/* Takes what was typed on the virtio console, and on the serial line if asked to, and runs each line that is whole. */
void console_poll(bool includes_serial);
/* Writes a line on every console. */
void console_broadcast(const char *text);

/* shell.c: runs a command and writes its answer, one line always. What ends the guest is done after the answer. */
#define GREETING "silk-guest ready"
typedef void (*ending)(void);
void shell_init(void);
ending shell_run(char *command, struct line *reply);

/* options.c: words of the kernel command line. */
bool has_option(const char *name);
const char *command_line(void);

/* memory.c */
u64 memory_bytes(void);
void memory_fill(struct line *reply, u64 seed, u64 mebibytes, bool high);
void memory_check(struct line *reply, u64 seed, u64 mebibytes, bool high);

#endif
