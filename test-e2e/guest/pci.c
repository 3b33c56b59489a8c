/* PCI configuration space by mechanism #1, which every x86 VMM has for bus 0. */
#include "guest.h"

#define ADDRESS_PORT 0xcf8
#define DATA_PORT 0xcfc

static void select(u32 slot, u32 offset) { out32(ADDRESS_PORT, 0x80000000u | slot << 11 | (offset & 0xfc)); }

u32 pci_read32(u32 slot, u32 offset) {
  select(slot, offset);
  return in32(DATA_PORT);
}

u16 pci_read16(u32 slot, u32 offset) { return (u16)(pci_read32(slot, offset) >> (offset & 2) * 8); }

u8 pci_read8(u32 slot, u32 offset) { return (u8)(pci_read32(slot, offset) >> (offset & 3) * 8); }

void pci_write16(u32 slot, u32 offset, u16 value) {
  select(slot, offset);
  out16((u16)(DATA_PORT + (offset & 2)), value);
}

u32 pci_identity(u32 slot) { return pci_read32(slot, 0); }

u32 pci_next_capability(u32 slot, u8 id, u32 previous) {
  u32 offset = previous ? pci_read8(slot, previous + 1) : pci_read8(slot, 0x34);
  /* A list of capabilities has at most 48 entries; a longer one is a loop. */
  for (u32 count = 0; offset && count < 48; count++) {
    u32 header = pci_read32(slot, offset);
    if ((header & 0xff) == id) return offset;
    offset = header >> 8 & 0xfc;
  }
  return 0;
}

u64 pci_bar(u32 slot, u32 index) {
  u32 low = pci_read32(slot, 0x10 + index * 4);
  u64 address = low & ~15u;
  bool is_64_bit = (low & 6) == 4;
  if (is_64_bit) address |= (u64)pci_read32(slot, 0x14 + index * 4) << 32;
  return address;
}
