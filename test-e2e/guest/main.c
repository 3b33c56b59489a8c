/* A guest for tests: says hello on every console, then does what it is told there. */
#include "guest.h"

/* Interrupts may get lost, over a restore for one. So devices that tell only when asked are also asked this often. */
#define TICKS_PER_THOROUGH_POLL (500 / TICK_MS)

const struct start_info *start_info;

/* Called by the stubs of boot.S: a bug of this program, told on the console so that a test shows it. */
void NORETURN exception(u64 vector, u64 instruction, u64 address) {
  struct line line;
  line.length = 0;
  put_text(&line, "silk-guest error: exception ");
  put_decimal(&line, vector);
  put_text(&line, " at 0x");
  put_hex(&line, instruction, 16);
  put_text(&line, " address 0x");
  put_hex(&line, address, 16);
  line.text[line.length] = 0;
  console_broadcast(line.text);
  for (;;) __asm__ volatile("cli; hlt");
}

void NORETURN main(const struct start_info *info) {
  start_info = info;
  acpi_init();
  apic_init();
  console_init();
  acpi_enable_events();
  if (!has_option("quiet")) console_broadcast(GREETING);
  shell_init();
  for (;;) {
    /* What came while a command was waiting for a disk is handled before the next sleep. */
    u32 events = take_events();
    if (!events) {
      sleep();
      continue;
    }
    bool is_thorough = events & EVENT(VECTOR_TICK) && ticks % TICKS_PER_THOROUGH_POLL == 0;
    console_poll(events & EVENT(VECTOR_SERIAL) || is_thorough);
    if (events & EVENT(VECTOR_ACPI) || is_thorough) acpi_poll();
  }
}
