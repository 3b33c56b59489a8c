/*
 * Interrupts: a slow timer tick, and whatever devices raise.
 *
 * Between interrupts the CPU halts, so that dozens of idle guests do not starve the host.
 */
#include "guest.h"

/* Registers of the local APIC, by their offset in its page; as MSRs they are at 0x800 + offset / 16. */
enum {
  APIC_ID = 0x20,
  APIC_EOI = 0xb0,
  APIC_SPURIOUS = 0xf0,
  APIC_TIMER = 0x320,
  APIC_TIMER_COUNT = 0x380,
  APIC_TIMER_DIVIDE = 0x3e0,
};
#define MSR_APIC_BASE 0x1b
#define APIC_BASE_IS_X2APIC (1u << 10)
#define APIC_ENABLE 0x100
#define SPURIOUS_VECTOR 0x24
#define TIMER_IS_PERIODIC (1u << 17)
#define DIVIDE_BY_1 0xb
/* KVM and QEMU run the APIC timer at 1 GHz. */
#define TIMER_COUNTS_PER_MS 1000000u

u64 ticks;
static u32 events;
static bool is_x2apic;

static u64 read_msr(u32 msr) {
  u32 low, high;
  __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
  return (u64)high << 32 | low;
}

static u32 apic_read(u32 offset) {
  if (is_x2apic) return (u32)read_msr(0x800 + offset / 16);
  return *(volatile u32 *)(local_apic_address + offset);
}

static void apic_write(u32 offset, u32 value) {
  if (is_x2apic)
    __asm__ volatile("wrmsr" ::"a"(value), "d"(0), "c"(0x800 + offset / 16));
  else
    *(volatile u32 *)(local_apic_address + offset) = value;
}

static u32 apic_id(void) { return is_x2apic ? apic_read(APIC_ID) : apic_read(APIC_ID) >> 24; }

void apic_init(void) {
  is_x2apic = (read_msr(MSR_APIC_BASE) & APIC_BASE_IS_X2APIC) != 0;
  apic_write(APIC_SPURIOUS, APIC_ENABLE | SPURIOUS_VECTOR);
  apic_write(APIC_TIMER_DIVIDE, DIVIDE_BY_1);
  apic_write(APIC_TIMER, TIMER_IS_PERIODIC | VECTOR_TICK);
  apic_write(APIC_TIMER_COUNT, TICK_MS * TIMER_COUNTS_PER_MS);
}

void route_interrupt(u32 line, enum vector vector, bool is_level) {
  volatile u32 *select = (volatile u32 *)io_apic_address, *window = (volatile u32 *)(io_apic_address + 0x10);
  *select = 0x10 + line * 2 + 1;
  *window = apic_id() << 24;
  *select = 0x10 + line * 2;
  *window = (u32)vector | (is_level ? 1u << 15 : 0);
}

u64 message_address(void) { return 0xfee00000u | apic_id() << 12; }

void sleep(void) {
  int vector = wait_for_interrupt();
  if (vector) apic_write(APIC_EOI, 0);
  if (vector == VECTOR_TICK) ticks++;
  if (vector) events |= EVENT(vector);
}

u32 take_events(void) {
  u32 taken = events;
  events = 0;
  return taken;
}
