/* Network cards. They are not driven, only listed: their address is in the registers. */
#include "guest.h"

void net_list(struct line *reply) {
  u32 count = 0;
  struct line cards;
  cards.length = 0;
  for (u32 slot = virtio_find(VIRTIO_NET, 0); slot < SLOT_COUNT; slot = virtio_find(VIRTIO_NET, slot + 1)) {
    struct virtio_device device;
    if (!virtio_locate(&device, slot) || !device.config) continue;
    count++;
    for (u32 i = 0; i < 6; i++) {
      put_text(&cards, i ? ":" : " ");
      put_hex(&cards, device.config[i], 2);
    }
  }
  put_text(reply, "nics ");
  put_decimal(reply, count);
  put_bytes(reply, cards.text, cards.length);
}
