/* A number that differs from boot to boot: from the entropy device where there is one, and from the clock. */
#include "guest.h"

static u64 from_device(void) {
  static struct queue queue;
  static u64 number;
  struct virtio_device device;
  u32 slot = virtio_find(VIRTIO_ENTROPY, 0);
  if (slot == SLOT_COUNT || !virtio_locate(&device, slot) || !virtio_begin(&device, 0)) return 0;
  if (!virtio_add_queue(&device, &queue, 0)) return 0;
  queue.descriptors[0] = (struct descriptor){(u64)&number, sizeof number, DESCRIPTOR_DEVICE_WRITES, 0};
  virtio_interrupt_on_queue_0(&device);
  virtio_start(&device);
  queue_offer(&queue, 0);
  queue_ring(&queue);
  bool is_done = queue_wait(&queue);
  virtio_reset(&device);
  return is_done ? number : 0;
}

u64 random_number(void) {
  /* The counter starts near zero in each new VM, so on its own it says little. The factor spreads what it says. */
  return from_device() ^ timestamp() * 0x9e3779b97f4a7c15ul;
}
