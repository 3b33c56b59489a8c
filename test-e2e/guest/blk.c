/*
 * Disks: virtio block devices, set up when they are first asked for, so that they cost a boot nothing.
 *
 * A disk is meant by its serial, or by #SLOT where it has none.
 */
#include "guest.h"

#define SECTOR_BYTES 512
#define SERIAL_BYTES 20
enum { REQUEST_READ = 0, REQUEST_WRITE = 1, REQUEST_FLUSH = 4, REQUEST_SERIAL = 8 };
enum { FEATURE_READ_ONLY = 1 << 5, FEATURE_FLUSH = 1 << 9 };
#define DISK_COUNT 16

struct disk {
  bool is_used;
  struct virtio_device device;
  struct queue queue;
  struct {
    u32 type, reserved;
    u64 sector;
  } request;
  u8 status;
  char serial[SERIAL_BYTES + 1];
  u64 sectors;
  bool is_read_only;
};
static struct disk disks[DISK_COUNT];
static char sector_buffer[SECTOR_BYTES] ALIGNED(SECTOR_BYTES);

/* Status of a request: 0 is success, 1 an I/O error, 2 unsupported; this is ours, for a device that does not answer. */
#define STATUS_NO_ANSWER 0xff

static u8 request(struct disk *disk, u32 type, u64 sector, void *data, u32 length) {
  struct descriptor *chain = disk->queue.descriptors;
  u16 status_at = length ? 2 : 1;
  disk->request.type = type;
  disk->request.sector = sector;
  disk->status = STATUS_NO_ANSWER;
  chain[0] = (struct descriptor){(u64)&disk->request, sizeof disk->request, DESCRIPTOR_NEXT, 1};
  u16 direction = type == REQUEST_WRITE ? 0 : DESCRIPTOR_DEVICE_WRITES;
  if (length) chain[1] = (struct descriptor){(u64)data, length, (u16)(DESCRIPTOR_NEXT | direction), 2};
  chain[status_at] = (struct descriptor){(u64)&disk->status, 1, DESCRIPTOR_DEVICE_WRITES, 0};
  queue_offer(&disk->queue, 0);
  queue_ring(&disk->queue);
  if (!queue_wait(&disk->queue)) return STATUS_NO_ANSWER;
  queue_take(&disk->queue, NULL);
  return *(volatile u8 *)&disk->status;
}

static bool set_up(struct disk *disk, u32 slot) {
  struct virtio_device *device = &disk->device;
  if (!virtio_locate(device, slot) || !device->config) return false;
  if (!virtio_begin(device, FEATURE_READ_ONLY | FEATURE_FLUSH)) return false;
  if (!virtio_add_queue(device, &disk->queue, 0)) return false;
  virtio_interrupt_on_queue_0(device);
  virtio_start(device);
  disk->is_used = true;
  disk->sectors = *(volatile u64 *)device->config;
  disk->is_read_only = (device->features & FEATURE_READ_ONLY) != 0;
  if (request(disk, REQUEST_SERIAL, 0, disk->serial, SERIAL_BYTES) != 0) disk->serial[0] = 0;
  return true;
}

/* The disk in a slot, ready for use. NULL when the slot has none or it does not work. */
static struct disk *disk_in(u32 slot) {
  struct disk *free = NULL;
  for (u32 i = 0; i < DISK_COUNT; i++) {
    if (disks[i].is_used && disks[i].device.slot == slot) return &disks[i];
    if (!disks[i].is_used && !free) free = &disks[i];
  }
  return free && set_up(free, slot) ? free : NULL;
}

void block_release(u32 slot) {
  for (u32 i = 0; i < DISK_COUNT; i++) {
    if (!disks[i].is_used || disks[i].device.slot != slot) continue;
    virtio_reset(&disks[i].device);
    disks[i].is_used = false;
  }
}

static struct disk *find(const char *name, struct line *reply) {
  u64 wanted_slot = SLOT_COUNT;
  if (name[0] == '#') parse_number(name + 1, &wanted_slot);
  for (u32 slot = virtio_find(VIRTIO_BLOCK, 0); slot < SLOT_COUNT; slot = virtio_find(VIRTIO_BLOCK, slot + 1)) {
    struct disk *disk = disk_in(slot);
    if (disk && (slot == wanted_slot || text_equals(disk->serial, name))) return disk;
  }
  put_text(reply, "error no disk ");
  put_text(reply, name);
  return NULL;
}

void block_list(struct line *reply) {
  u32 count = 0;
  struct line list;
  list.length = 0;
  for (u32 slot = virtio_find(VIRTIO_BLOCK, 0); slot < SLOT_COUNT; slot = virtio_find(VIRTIO_BLOCK, slot + 1)) {
    struct disk *disk = disk_in(slot);
    if (!disk) continue;
    count++;
    put_text(&list, " ");
    if (disk->serial[0]) {
      put_text(&list, disk->serial);
    } else {
      put_text(&list, "#");
      put_decimal(&list, slot);
    }
    put_text(&list, ":");
    put_decimal(&list, disk->sectors);
    if (disk->is_read_only) put_text(&list, ":ro");
  }
  put_text(reply, "disks ");
  put_decimal(reply, count);
  put_bytes(reply, list.text, list.length);
}

static void put_status(struct line *reply, u8 status) {
  if (status == 0) {
    put_text(reply, "ok");
  } else if (status == STATUS_NO_ANSWER) {
    put_text(reply, "error the disk does not answer");
  } else {
    put_text(reply, "error disk status ");
    put_decimal(reply, status);
  }
}

/* False, with an error in the reply, for what is no sector of the disk. */
static bool parse_sector(struct line *reply, const struct disk *disk, const char *text, u64 *sector) {
  if (parse_number(text, sector) && *sector < disk->sectors) return true;
  put_text(reply, "error no sector ");
  put_text(reply, text);
  return false;
}

void block_write(struct line *reply, const char *name, const char *sector_text, const char *pattern) {
  u64 sector, length = text_length(pattern);
  struct disk *disk = find(name, reply);
  if (!disk || !parse_sector(reply, disk, sector_text, &sector)) return;
  /* The pattern and a line end, over and over, so that the host sees lines and the guest finds where one ends. */
  for (u32 i = 0, at = 0; i < SECTOR_BYTES; i++) {
    sector_buffer[i] = at == length ? '\n' : pattern[at];
    at = at == length ? 0 : at + 1;
  }
  put_status(reply, request(disk, REQUEST_WRITE, sector, sector_buffer, SECTOR_BYTES));
}

void block_read(struct line *reply, const char *name, const char *sector_text) {
  u64 sector;
  struct disk *disk = find(name, reply);
  if (!disk || !parse_sector(reply, disk, sector_text, &sector)) return;
  u8 status = request(disk, REQUEST_READ, sector, sector_buffer, SECTOR_BYTES);
  if (status != 0) {
    put_status(reply, status);
    return;
  }
  /* A sector repeats with a period exactly when it equals itself moved by that many bytes. */
  u32 period = 1;
  while (sector_buffer[0] && period < SECTOR_BYTES && sector_buffer[period - 1] != '\n') period++;
  if (bytes_equal(sector_buffer, sector_buffer + period, SECTOR_BYTES - period)) {
    put_text(reply, sector_buffer[0] ? "data " : "zero");
    if (sector_buffer[0]) put_bytes(reply, sector_buffer, period - 1);
    return;
  }
  put_text(reply, "other ");
  for (u32 i = 0; i < 16; i++) put_hex(reply, (u8)sector_buffer[i], 2);
}

void block_flush(struct line *reply, const char *name) {
  struct disk *disk = find(name, reply);
  if (disk) put_status(reply, request(disk, REQUEST_FLUSH, 0, NULL, 0));
}
