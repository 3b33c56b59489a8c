/* Maps what lies above the 4 GiB that boot.S maps: Cloud Hypervisor has its BARs and ACPI registers up there. */
#include "guest.h"

#define PRESENT_AND_WRITABLE 3
#define LARGE 0x80
#define LARGE_PAGE_BYTES 0x200000ul
#define ENTRY_ADDRESS(entry) ((entry) & 0x000ffffffffff000ul)

/* All that is mapped lies within a few gibibytes, and each of them takes one table, plus one per 512 GiB. */
#define TABLE_COUNT 12
static u64 tables[TABLE_COUNT][512] ALIGNED(4096);
static u32 tables_used;

static u64 *table_below(u64 *entry) {
  if (!*entry) {
    if (tables_used == TABLE_COUNT) {
      console_broadcast("silk-guest error: out of page tables");
      triple_fault();
    }
    *entry = (u64)tables[tables_used++] | PRESENT_AND_WRITABLE;
  }
  return (u64 *)ENTRY_ADDRESS(*entry);
}

void *map_physical(u64 address, u64 length) {
  for (u64 page = address & ~(LARGE_PAGE_BYTES - 1); page < address + length; page += LARGE_PAGE_BYTES) {
    u64 *pointers = table_below(&page_map[page >> 39 & 511]);
    u64 *directory = table_below(&pointers[page >> 30 & 511]);
    /* What was absent before is not cached by the CPU, so there is nothing to flush. */
    directory[page >> 21 & 511] = page | LARGE | PRESENT_AND_WRITABLE;
  }
  return (void *)address;
}
