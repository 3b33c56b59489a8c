/* Virtio 1.0 over PCI, with split queues that are polled. */
#include "guest.h"

/* Kinds of vendor capabilities, each of which says where a group of registers is. */
enum { CAP_COMMON = 1, CAP_NOTIFY = 2, CAP_DEVICE = 4 };
#define PCI_CAP_VENDOR 0x09
#define PCI_CAP_MSIX 0x11
#define PCI_COMMAND 0x04
#define COMMAND_MEMORY_AND_MASTER 6

/* Registers of the common group. */
enum {
  DEVICE_FEATURE_SELECT = 0x00,
  DEVICE_FEATURE = 0x04,
  DRIVER_FEATURE_SELECT = 0x08,
  DRIVER_FEATURE = 0x0c,
  DEVICE_STATUS = 0x14,
  QUEUE_SELECT = 0x16,
  QUEUE_SIZE_NOW = 0x18,
  QUEUE_VECTOR = 0x1a,
  QUEUE_ENABLE = 0x1c,
  QUEUE_NOTIFY_OFFSET = 0x1e,
  QUEUE_DESCRIPTORS = 0x20,
  QUEUE_AVAILABLE = 0x28,
  QUEUE_USED = 0x30,
};
enum { STATUS_ACKNOWLEDGE = 1, STATUS_DRIVER = 2, STATUS_DRIVER_OK = 4, STATUS_FEATURES_OK = 8 };
#define FEATURE_VERSION_1 1u /* bit 32 */

#define TICKS_TO_ANSWER (10000 / TICK_MS)

static volatile u8 *reg8(struct virtio_device *device, u32 offset) { return device->common + offset; }
static volatile u16 *reg16(struct virtio_device *device, u32 offset) { return (void *)reg8(device, offset); }
static volatile u32 *reg32(struct virtio_device *device, u32 offset) { return (void *)reg8(device, offset); }

static void write_address(struct virtio_device *device, u32 offset, const volatile void *address) {
  *reg32(device, offset) = (u32)(u64)address;
  *reg32(device, offset + 4) = (u32)((u64)address >> 32);
}

u32 virtio_find(enum virtio_type type, u32 slot) {
  while (slot < SLOT_COUNT && pci_identity(slot) != VIRTIO_VENDOR_AND_FIRST_DEVICE + ((u32)type << 16)) slot++;
  return slot;
}

bool virtio_locate(struct virtio_device *device, u32 slot) {
  /* The groups usually share one BAR: it is mapped once. */
  u32 mapped_bar = ~0u;
  volatile u8 *base = NULL;
  device->slot = slot;
  device->common = device->notify = device->config = NULL;
  for (u32 cap = 0; (cap = pci_next_capability(slot, PCI_CAP_VENDOR, cap)) != 0;) {
    u32 kind = pci_read8(slot, cap + 3);
    if (kind != CAP_COMMON && kind != CAP_NOTIFY && kind != CAP_DEVICE) continue;
    u32 bar = pci_read8(slot, cap + 4), offset = pci_read32(slot, cap + 8);
    if (bar != mapped_bar) {
      base = map_physical(pci_bar(slot, bar), 0x80000);
      mapped_bar = bar;
    }
    if (kind == CAP_COMMON) device->common = base + offset;
    if (kind == CAP_DEVICE) device->config = base + offset;
    if (kind == CAP_NOTIFY) {
      device->notify = base + offset;
      device->notify_multiplier = pci_read32(slot, cap + 16);
    }
  }
  if (!device->common || !device->notify) return false;
  pci_write16(slot, PCI_COMMAND, COMMAND_MEMORY_AND_MASTER);
  return true;
}

bool virtio_begin(struct virtio_device *device, u32 wanted) {
  virtio_reset(device);
  *reg8(device, DEVICE_STATUS) = STATUS_ACKNOWLEDGE | STATUS_DRIVER;
  *reg32(device, DRIVER_FEATURE_SELECT) = 0;
  if (wanted) {
    *reg32(device, DEVICE_FEATURE_SELECT) = 0;
    wanted &= *reg32(device, DEVICE_FEATURE);
  }
  *reg32(device, DRIVER_FEATURE) = wanted;
  device->features = wanted;
  *reg32(device, DRIVER_FEATURE_SELECT) = 1;
  *reg32(device, DRIVER_FEATURE) = FEATURE_VERSION_1;
  *reg8(device, DEVICE_STATUS) = STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK;
  return (*reg8(device, DEVICE_STATUS) & STATUS_FEATURES_OK) != 0;
}

bool virtio_add_queue(struct virtio_device *device, struct queue *queue, u16 number) {
  queue->available.index = queue->used.index = queue->seen = 0;
  queue->number = number;
  *reg16(device, QUEUE_SELECT) = number;
  if (*reg16(device, QUEUE_SIZE_NOW) < QUEUE_SIZE) return false;
  *reg16(device, QUEUE_SIZE_NOW) = QUEUE_SIZE;
  write_address(device, QUEUE_DESCRIPTORS, queue->descriptors);
  write_address(device, QUEUE_AVAILABLE, &queue->available);
  write_address(device, QUEUE_USED, &queue->used);
  u32 offset = *reg16(device, QUEUE_NOTIFY_OFFSET) * device->notify_multiplier;
  queue->doorbell = (volatile u16 *)(device->notify + offset);
  *reg16(device, QUEUE_ENABLE) = 1;
  return true;
}

void virtio_interrupt_on_queue_0(struct virtio_device *device) {
  u32 cap = pci_next_capability(device->slot, PCI_CAP_MSIX, 0);
  if (!cap) return;
  u32 table = pci_read32(device->slot, cap + 4);
  volatile u32 *entry = map_physical(pci_bar(device->slot, table & 7) + (table & ~7u), 16);
  entry[0] = (u32)message_address();
  entry[1] = 0;
  entry[2] = VECTOR_DEVICE;
  entry[3] = 0;
  pci_write16(device->slot, cap + 2, (u16)(pci_read16(device->slot, cap + 2) | 0x8000));
  *reg16(device, QUEUE_SELECT) = 0;
  *reg16(device, QUEUE_VECTOR) = 0;
}

void virtio_start(struct virtio_device *device) {
  *reg8(device, DEVICE_STATUS) = STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK | STATUS_DRIVER_OK;
}

void virtio_reset(struct virtio_device *device) { *reg8(device, DEVICE_STATUS) = 0; }

void queue_offer(struct queue *queue, u16 descriptor) {
  queue->available.ring[queue->available.index % QUEUE_SIZE] = descriptor;
  barrier();
  ((volatile struct queue *)queue)->available.index++;
}

void queue_ring(struct queue *queue) {
  barrier();
  *queue->doorbell = queue->number;
}

u16 queue_take(struct queue *queue, u32 *length) {
  u32 at = queue->seen++ % QUEUE_SIZE;
  if (length) *length = queue->used.ring[at].length;
  return (u16)queue->used.ring[at].id;
}

bool queue_wait(struct queue *queue) {
  for (u64 end = ticks + TICKS_TO_ANSWER; !queue_has_used(queue);) {
    if (ticks > end) return false;
    u64 before = ticks;
    sleep();
    /* A doorbell rung just before a snapshot is not part of it: ring again at each tick. */
    if (ticks != before) queue_ring(queue);
  }
  return true;
}
