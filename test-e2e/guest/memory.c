/* The guest's RAM: how much there is, and patterns in it that prove that it came through a snapshot. */
#include "guest.h"

#define PAGE_BYTES 4096u
#define MEBIBYTE 0x100000ul
/* What boot.S maps; RAM above is mapped when it is filled. */
#define MAPPED_BYTES 0x100000000ul

static const struct memory_range *ranges(void) { return (const struct memory_range *)start_info->memory_map; }

u64 memory_bytes(void) {
  u64 total = 0;
  for (u32 i = 0; i < start_info->memory_map_entries; i++)
    if (ranges()[i].type == MEMORY_IS_RAM) total += ranges()[i].size;
  return total;
}

static u64 first_free(void) { return ((u64)image_end + MEBIBYTE - 1) & ~(MEBIBYTE - 1); }

/* Where patterns go: behind this program to the end of the RAM that it lies in, or the RAM above 4 GiB. */
static struct memory_range area(bool high) {
  u64 start = high ? MAPPED_BYTES : first_free();
  struct memory_range found = {.address = start};
  for (u32 i = 0; i < start_info->memory_map_entries; i++) {
    const struct memory_range *range = &ranges()[i];
    u64 end = range->address + range->size;
    if (range->type != MEMORY_IS_RAM || range->address > start || end <= start) continue;
    if (!high && end > MAPPED_BYTES) end = MAPPED_BYTES;
    found.size = end - start;
  }
  return found;
}

static bool is_too_much(struct line *reply, u64 available, u64 mebibytes) {
  if (mebibytes <= available / MEBIBYTE) return false;
  put_text(reply, "error only ");
  put_decimal(reply, available / MEBIBYTE);
  put_text(reply, " MiB are free");
  return true;
}

static u64 pattern(u64 seed, u64 address) { return (seed + 1) * 0x9e3779b97f4a7c15ul ^ address; }

void memory_fill(struct line *reply, u64 seed, u64 mebibytes, bool high) {
  struct memory_range in = area(high);
  if (is_too_much(reply, in.size, mebibytes)) return;
  u64 end = in.address + mebibytes * MEBIBYTE;
  if (high) map_physical(in.address, mebibytes * MEBIBYTE);
  for (u64 page = in.address; page < end; page += PAGE_BYTES) *(volatile u64 *)page = pattern(seed, page);
  put_text(reply, "ok");
}

void memory_check(struct line *reply, u64 seed, u64 mebibytes, bool high) {
  struct memory_range in = area(high);
  if (is_too_much(reply, in.size, mebibytes)) return;
  u64 end = in.address + mebibytes * MEBIBYTE;
  if (high) map_physical(in.address, mebibytes * MEBIBYTE);
  for (u64 page = in.address; page < end; page += PAGE_BYTES) {
    if (*(volatile u64 *)page == pattern(seed, page)) continue;
    put_text(reply, "bad 0x");
    put_hex(reply, page, high ? 16 : 8);
    return;
  }
  put_text(reply, "ok");
}
