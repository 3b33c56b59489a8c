/*
 * The consoles: the serial line COM1 and the first virtio console, each where the VM has it.
 *
 * They are equal: both greet, take commands line by line, and get the answers to what came in on them.
 */
#include "guest.h"

struct console {
  void (*write)(const char *bytes, u64 length);
  /* The line that is being typed. */
  char line[256];
  u32 length;
  bool is_too_long;
};
static struct console serial, virtio;

#define COM1 0x3f8
enum {
  UART_DATA = COM1,
  UART_INTERRUPTS = COM1 + 1,
  UART_FIFO = COM1 + 2,
  UART_MODEM = COM1 + 4,
  UART_STATUS = COM1 + 5,
  UART_SCRATCH = COM1 + 7,
};
enum { UART_HAS_INPUT = 1, UART_CAN_SEND = 0x20 };
#define UART_FIFO_BYTES 16
#define COM1_INTERRUPT_LINE 4

#define RX_BUFFERS 4
static struct queue rx, tx;
static char rx_buffers[RX_BUFFERS][64];
static char tx_buffers[QUEUE_SIZE][256];

static void serial_write(const char *bytes, u64 length) {
  for (u64 i = 0; i < length; i++) {
    /* An empty transmitter takes a whole FIFO, so it is not asked before each byte. */
    if (i % UART_FIFO_BYTES == 0)
      while (!(in8(UART_STATUS) & UART_CAN_SEND)) continue;
    out8(UART_DATA, (u8)bytes[i]);
  }
}

static void virtio_write(const char *bytes, u64 length) {
  while (length) {
    /* The device uses the buffers in order, so that the oldest one is the first to be free again. */
    if ((u16)(tx.available.index - tx.seen) == QUEUE_SIZE && !queue_wait(&tx)) return;
    while (queue_has_used(&tx)) queue_take(&tx, NULL);
    u16 at = tx.available.index % QUEUE_SIZE;
    u64 part = length < sizeof tx_buffers[at] ? length : sizeof tx_buffers[at];
    copy_bytes(tx_buffers[at], bytes, part);
    tx.descriptors[at] = (struct descriptor){.address = (u64)tx_buffers[at], .length = (u32)part};
    queue_offer(&tx, at);
    queue_ring(&tx);
    bytes += part;
    length -= part;
  }
}

/* Before the guest ends, what it said must have left it. */
static void drain(void) {
  if (!virtio.write) return;
  while ((u16)(tx.available.index - tx.seen)) {
    if (!queue_wait(&tx)) return;
    queue_take(&tx, NULL);
  }
}

static void finish_line(struct console *console) {
  static struct line reply;
  ending end = NULL;
  console->line[console->length] = 0;
  reply.length = 0;
  if (console->is_too_long)
    put_text(&reply, "error line too long");
  else if (console->length)
    end = shell_run(console->line, &reply);
  bool is_empty = !console->length;
  console->length = 0;
  console->is_too_long = false;
  if (is_empty) return;
  if (reply.length == sizeof reply.text) reply.length--;
  put_text(&reply, "\n");
  console->write(reply.text, reply.length);
  if (end) {
    drain();
    end();
  }
}

static void take_input(struct console *console, const char *bytes, u32 length) {
  for (u32 i = 0; i < length; i++) {
    /* Cloud Hypervisor's serial line reads as a zero once a client has gone. */
    if (!bytes[i]) continue;
    if (bytes[i] == '\n' || bytes[i] == '\r')
      finish_line(console);
    else if (console->length < sizeof console->line - 1)
      console->line[console->length++] = bytes[i];
    else
      console->is_too_long = true;
  }
}

static void serial_init(void) {
  /* A port that nobody answers does not keep what is written to it. */
  out8(UART_SCRATCH, 0x5a);
  if (in8(UART_SCRATCH) != 0x5a) return;
  serial.write = serial_write;
  out8(UART_FIFO, 1);
  /* OUT2 lets the interrupt of the chip through to the interrupt controller. */
  out8(UART_MODEM, 0x0b);
  route_interrupt(COM1_INTERRUPT_LINE, VECTOR_SERIAL, false);
  out8(UART_INTERRUPTS, UART_HAS_INPUT);
}

static void virtio_init(void) {
  struct virtio_device device;
  u32 slot = virtio_find(VIRTIO_CONSOLE, 0);
  if (slot == SLOT_COUNT || !virtio_locate(&device, slot) || !virtio_begin(&device, 0)) return;
  if (!virtio_add_queue(&device, &rx, 0) || !virtio_add_queue(&device, &tx, 1)) return;
  for (u16 i = 0; i < RX_BUFFERS; i++) {
    rx.descriptors[i] = (struct descriptor){(u64)rx_buffers[i], sizeof rx_buffers[i], DESCRIPTOR_DEVICE_WRITES, 0};
    queue_offer(&rx, i);
  }
  virtio_interrupt_on_queue_0(&device);
  virtio_start(&device);
  queue_ring(&rx);
  virtio.write = virtio_write;
}

void console_init(void) {
  serial_init();
  virtio_init();
}

void console_poll(bool includes_serial) {
  if (includes_serial && serial.write) {
    while (in8(UART_STATUS) & UART_HAS_INPUT) {
      char byte = (char)in8(UART_DATA);
      take_input(&serial, &byte, 1);
    }
  }
  if (!virtio.write) return;
  while (queue_has_used(&rx)) {
    u32 length;
    u16 at = queue_take(&rx, &length);
    take_input(&virtio, rx_buffers[at], length);
    queue_offer(&rx, at);
    queue_ring(&rx);
  }
  /* A doorbell rung just before a snapshot is not part of it: what is still waiting is announced again. */
  while (queue_has_used(&tx)) queue_take(&tx, NULL);
  if (tx.available.index != tx.seen) queue_ring(&tx);
}

void console_broadcast(const char *text) {
  struct line line;
  line.length = 0;
  put_text(&line, text);
  put_text(&line, "\n");
  if (serial.write) serial.write(line.text, line.length);
  if (virtio.write) virtio.write(line.text, line.length);
}
