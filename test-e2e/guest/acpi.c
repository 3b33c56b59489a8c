/*
 * What the VMM and the guest tell each other by ACPI: a device to let go of, the power button, power off, reset.
 *
 * Registers are found through the tables, as an operating system would, so that a VMM may move them. Of AML only as
 * much is understood as it takes to walk over the objects of the DSDT.
 */
#include "guest.h"

struct table {
  char signature[4];
  u32 length;
  u8 rest[28];
} PACKED;
#define TABLE_HEADER_BYTES 36
struct generic_address {
  u8 space, width, offset, access;
  u64 address;
} PACKED;
enum { SPACE_MEMORY = 0, SPACE_IO = 1 };

/* Places in the fixed table (FADT) and the interrupt table (MADT). */
enum {
  FADT_DSDT = 40,
  FADT_PM1A_EVENT = 56,
  FADT_PM1A_CONTROL = 64,
  FADT_RESET = 116,
  FADT_RESET_VALUE = 128,
  FADT_X_DSDT = 140,
  FADT_SLEEP_CONTROL = 244,
};
enum { MADT_LOCAL_APIC = 36, MADT_FLAGS = 40, MADT_ENTRIES = 44 };
#define MADT_HAS_OLD_CONTROLLERS 1
enum { MADT_PROCESSOR = 0, MADT_IO_APIC = 1, MADT_PROCESSOR_X2APIC = 9 };
#define SLEEP_ENABLE (1u << 5)

/* The PCI hot-plug registers. A slot is a bit. Reading `removed` clears it. */
struct hotplug {
  u32 added, removed, eject, segment;
};
enum { NOTIFIED_PCI = 4, NOTIFIED_POWER_BUTTON = 8 };

/* QEMU's registers for the same, as ports: a bus is chosen, and a slot of it is a bit. */
enum { BUS_REMOVED = 4, BUS_EJECT = 8, BUS_SELECT = 16 };
#define HOTPLUG_BUSES 64
/* The fixed power button of a PC. */
#define POWER_BUTTON 0x100

u64 local_apic_address, io_apic_address;
bool ignores_power_button;
static const u8 *fadt, *madt;
static u32 sleep_type;
static volatile struct hotplug *hotplug;
static volatile u8 *notifications;
static u32 notification_line;
static u16 bus_ports, button_port;
static bool refuses_to_eject;
/* Slots that the VMM wants back and this guest does not let go of. */
static u32 withheld_slots;

static u32 read32(const u8 *at) { return *(const u32 *)at; }
static u64 read64(const u8 *at) { return *(const u64 *)at; }

/* Length of an AML package, which counts from its own first byte. *at moves behind it. */
static u32 package_length(const u8 **at) {
  u8 lead = *(*at)++;
  u32 more = lead >> 6, length = more ? lead & 15 : lead & 63;
  for (u32 i = 0; i < more; i++) length |= (u32) * (*at)++ << (4 + 8 * i);
  return length;
}

/* Last segment of an AML name, of four letters. *at moves behind the name. */
static const u8 *last_segment(const u8 **at) {
  const u8 *name = *at;
  u32 segments = 1;
  while (*name == '\\' || *name == '^') name++;
  if (*name == 0x2e) segments = 2, name++;
  else if (*name == 0x2f) segments = name[1], name += 2;
  *at = name + segments * 4;
  return *at - 4;
}

static u64 integer(const u8 *at) {
  switch (*at) {
    case 0x0a: return at[1];
    case 0x0b: return *(const u16 *)(at + 1);
    case 0x0c: return read32(at + 1);
    case 0x0e: return read64(at + 1);
    default: return *at; /* zero and one stand for themselves */
  }
}

static bool named(const u8 *segment, const char *name) { return read32(segment) == read32((const u8 *)name); }

/* Address of the first operation region in memory within a device; 0 where it has none. */
static u64 operation_region(const u8 *at, const u8 *end) {
  for (; at + 8 < end; at++) {
    if (at[0] != 0x5b || at[1] != 0x80) continue;
    const u8 *space = at + 2;
    last_segment(&space);
    if (*space == SPACE_MEMORY) return integer(space + 1);
  }
  return 0;
}

/* Line of the first interrupt (an extended interrupt descriptor) among the resources of a device. */
static u32 interrupt_line(const u8 *at, const u8 *end) {
  for (; at + 9 <= end; at++)
    if (at[0] == 0x89 && at[1] == 6 && at[2] == 0 && at[4] == 1) return read32(at + 5);
  return 0;
}

/* First port of QEMU's hot-plug registers: the region PCST. 0 where there is none. */
static u16 hotplug_ports(const u8 *at, const u8 *end) {
  for (; at + 10 < end; at++)
    if (at[0] == 0x5b && at[1] == 0x80 && named(at + 2, "PCST") && at[6] == SPACE_IO) return (u16)integer(at + 7);
  return 0;
}

static void note_device(const u8 *name, const u8 *body, const u8 *end) {
  u64 address;
  if (named(name, "PHPR") && (address = operation_region(body, end))) hotplug = map_physical(address, sizeof *hotplug);
  if (named(name, "GEC_") && (address = operation_region(body, end))) notifications = map_physical(address, 1);
  if (named(name, "GED_")) notification_line = interrupt_line(body, end);
}

/*
 * Walks over the objects of a list, into scopes but not into devices. What it does not know it skips byte by byte, so
 * it may take data for an object: one that is longer than what is left is none.
 */
static void walk(const u8 *at, const u8 *end) {
  while (at < end) {
    bool is_device = at[0] == 0x5b && at[1] == 0x82, is_scope = at[0] == 0x10, is_method = at[0] == 0x14;
    bool is_package = at[0] == 0x08 && at[5] == 0x12; /* a name, and what it stands for */
    const u8 *start = at + (is_device ? 2 : is_package ? 6 : 1), *body = start;
    const u8 *next = start + package_length(&body);
    if (!(is_device || is_scope || is_method || is_package) || next > end || next < body) {
      at++;
      continue;
    }
    if (is_package) {
      /* The first entry of the package is the value to write for this sleep state. The entry count comes before. */
      if (named(at + 1, "_S5_")) sleep_type = (u32)integer(body + 1);
    } else {
      const u8 *name = last_segment(&body);
      if (is_scope) walk(body, next);
      if (is_device) note_device(name, body, next);
    }
    at = next;
  }
}

static const u8 *table_at(u64 address) {
  const struct table *table = map_physical(address, sizeof *table);
  map_physical(address, table->length);
  return (const u8 *)table;
}

static void read_interrupts(void) {
  local_apic_address = read32(madt + MADT_LOCAL_APIC);
  if (read32(madt + MADT_FLAGS) & MADT_HAS_OLD_CONTROLLERS) {
    /* A BIOS leaves their timer running. Both are silenced: only the APICs interrupt. */
    out8(0x21, 0xff);
    out8(0xa1, 0xff);
  }
  const u8 *end = madt + read32(madt + 4);
  for (const u8 *entry = madt + MADT_ENTRIES; entry < end && entry[1]; entry += entry[1])
    if (entry[0] == MADT_IO_APIC) io_apic_address = read32(entry + 4);
}

void acpi_init(void) {
  const u8 *root = (const u8 *)start_info->rsdp;
  bool is_extended = root[15] >= 2;
  const u8 *index = table_at(is_extended ? read64(root + 24) : read32(root + 16));
  const u8 *end = index + read32(index + 4);
  u32 step = is_extended ? 8 : 4;
  for (const u8 *entry = index + TABLE_HEADER_BYTES; entry < end; entry += step) {
    const u8 *table = table_at(is_extended ? read64(entry) : read32(entry));
    if (named(table, "FACP")) fadt = table;
    if (named(table, "APIC")) madt = table;
  }
  read_interrupts();
  u64 dsdt_address = read32(fadt + 4) > FADT_X_DSDT ? read64(fadt + FADT_X_DSDT) : 0;
  const u8 *dsdt = table_at(dsdt_address ? dsdt_address : read32(fadt + FADT_DSDT));
  walk(dsdt + TABLE_HEADER_BYTES, dsdt + read32(dsdt + 4));
  bus_ports = hotplug_ports(dsdt + TABLE_HEADER_BYTES, dsdt + read32(dsdt + 4));
  button_port = (u16)read32(fadt + FADT_PM1A_EVENT);
  if (button_port) out16((u16)(button_port + 2), POWER_BUTTON);
  refuses_to_eject = has_option("noack");
  ignores_power_button = has_option("nopower");
}

void acpi_enable_events(void) {
  if (notification_line) route_interrupt(notification_line, VECTOR_ACPI, false);
}

static void eject(u32 slots) {
  for (u32 slot = 0; slot < SLOT_COUNT; slot++) {
    if (!(slots >> slot & 1)) continue;
    block_release(slot);
    hotplug->eject = 1u << slot;
  }
}

void set_eject_allowed(bool is_allowed) {
  refuses_to_eject = !is_allowed;
  if (is_allowed && withheld_slots) {
    u32 slots = withheld_slots;
    withheld_slots = 0;
    eject(slots);
  }
}

/* What QEMU wants back is seen by looking: its interrupt is not listened to. */
static void poll_buses(void) {
  if (button_port && in16(button_port) & POWER_BUTTON) {
    out16(button_port, POWER_BUTTON);
    if (!ignores_power_button) acpi_power_off();
  }
  if (!bus_ports || refuses_to_eject) return;
  for (u32 bus = 0; bus < HOTPLUG_BUSES; bus++) {
    out32((u16)(bus_ports + BUS_SELECT), bus);
    u32 slots = in32((u16)(bus_ports + BUS_REMOVED));
    if (slots) out32((u16)(bus_ports + BUS_EJECT), slots);
  }
}

void acpi_poll(void) {
  poll_buses();
  if (!notifications) return;
  u8 what = *notifications;
  if (what & NOTIFIED_PCI && hotplug) {
    u32 slots = hotplug->removed;
    if (refuses_to_eject)
      withheld_slots |= slots;
    else
      eject(slots);
  }
  if (what & NOTIFIED_POWER_BUTTON && !ignores_power_button) acpi_power_off();
}

static void write_register(const u8 *at, u8 value) {
  const struct generic_address *reg = (const struct generic_address *)at;
  if (reg->space == SPACE_IO)
    out8((u16)reg->address, value);
  else
    *(volatile u8 *)map_physical(reg->address, 1) = value;
}

void acpi_power_off(void) {
  bool is_hardware_reduced = read32(fadt + 4) > FADT_SLEEP_CONTROL && read64(fadt + FADT_SLEEP_CONTROL + 4);
  if (is_hardware_reduced)
    write_register(fadt + FADT_SLEEP_CONTROL, (u8)(sleep_type << 2 | SLEEP_ENABLE));
  else
    out16((u16)read32(fadt + FADT_PM1A_CONTROL), (u16)(sleep_type << 10 | SLEEP_ENABLE << 8));
}

void acpi_reset(void) { write_register(fadt + FADT_RESET, fadt[FADT_RESET_VALUE]); }

u32 acpi_processor_count(void) {
  u32 count = 0;
  const u8 *end = madt + read32(madt + 4);
  for (const u8 *entry = madt + MADT_ENTRIES; entry < end && entry[1]; entry += entry[1]) {
    if (entry[0] == MADT_PROCESSOR) count += read32(entry + 4) & 1;
    if (entry[0] == MADT_PROCESSOR_X2APIC) count += read32(entry + 8) & 1;
  }
  return count;
}
