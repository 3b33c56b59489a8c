/* The commands. Each is one line and is answered by one line. */
#include "guest.h"

static u64 nonce;
static char mark[64];

static void count(struct line *reply, char *rest) {
  (void)rest;
  put_text(reply, "count ");
  put_decimal(reply, ticks);
}

static void echo(struct line *reply, char *rest) { put_text(reply, rest); }

static void show_nonce(struct line *reply, char *rest) {
  (void)rest;
  put_text(reply, "nonce ");
  put_hex(reply, nonce, 16);
}

static void set_mark(struct line *reply, char *rest) {
  char *value = next_word(&rest);
  u64 length = text_length(value);
  if (!length) {
    put_text(reply, mark[0] ? "mark " : "mark");
    put_text(reply, mark);
  } else if (length < sizeof mark) {
    copy_bytes(mark, value, length + 1);
    put_text(reply, "ok");
  } else {
    put_text(reply, "error mark too long");
  }
}

static void memory(struct line *reply, char *rest, void (*act)(struct line *, u64, u64, bool), bool high) {
  u64 seed, mebibytes;
  if (parse_number(next_word(&rest), &seed) && parse_number(next_word(&rest), &mebibytes))
    act(reply, seed, mebibytes, high);
  else
    put_text(reply, "error use: SEED MIB");
}
static void fill(struct line *reply, char *rest) { memory(reply, rest, memory_fill, false); }
static void check(struct line *reply, char *rest) { memory(reply, rest, memory_check, false); }
static void fill_high(struct line *reply, char *rest) { memory(reply, rest, memory_fill, true); }
static void check_high(struct line *reply, char *rest) { memory(reply, rest, memory_check, true); }

static void show_disks(struct line *reply, char *rest) {
  (void)rest;
  block_list(reply);
}

static void write_disk(struct line *reply, char *rest) {
  char *disk = next_word(&rest), *sector = next_word(&rest), *pattern = next_word(&rest);
  block_write(reply, disk, sector, pattern);
}

static void read_disk(struct line *reply, char *rest) {
  char *disk = next_word(&rest), *sector = next_word(&rest);
  block_read(reply, disk, sector);
}

static void flush_disk(struct line *reply, char *rest) { block_flush(reply, next_word(&rest)); }

static void show_nics(struct line *reply, char *rest) {
  (void)rest;
  net_list(reply);
}

static void show_pci(struct line *reply, char *rest) {
  (void)rest;
  put_text(reply, "pci");
  for (u32 slot = 0; slot < SLOT_COUNT; slot++) {
    u32 identity = pci_identity(slot);
    if (identity == ~0u) continue;
    put_text(reply, " ");
    put_decimal(reply, slot);
    put_text(reply, ":");
    put_hex(reply, identity & 0xffff, 4);
    put_text(reply, ":");
    put_hex(reply, identity >> 16, 4);
  }
}

static void show_machine(struct line *reply, char *rest) {
  (void)rest;
  put_text(reply, "machine cpus=");
  put_decimal(reply, acpi_processor_count());
  put_text(reply, " memory=");
  put_decimal(reply, memory_bytes());
  put_text(reply, " initramfs=");
  put_decimal(reply, start_info->module_count ? ((const struct module *)start_info->modules)->size : 0);
  put_text(reply, " nmis=");
  put_decimal(reply, nmi_count);
}

static void show_cmdline(struct line *reply, char *rest) {
  (void)rest;
  put_text(reply, *command_line() ? "cmdline " : "cmdline");
  put_text(reply, command_line());
}

/* True for on, false for off; anything else is an error, and -1. */
static int parse_switch(struct line *reply, char *rest) {
  const char *word = next_word(&rest);
  if (text_equals(word, "on")) return true;
  if (text_equals(word, "off")) return false;
  put_text(reply, "error use: on|off");
  return -1;
}

static void set_noack(struct line *reply, char *rest) {
  int is_on = parse_switch(reply, rest);
  if (is_on < 0) return;
  set_eject_allowed(!is_on);
  put_text(reply, "ok");
}

static void set_nopower(struct line *reply, char *rest) {
  int is_on = parse_switch(reply, rest);
  if (is_on < 0) return;
  ignores_power_button = is_on;
  put_text(reply, "ok");
}

static void greet(struct line *reply, char *rest) {
  (void)rest;
  put_text(reply, GREETING);
}

static void help(struct line *reply, char *rest);

static void NORETURN hang(void) {
  /* With interrupts off, nothing wakes the CPU again. */
  for (;;) __asm__ volatile("cli; hlt");
}

static const struct command {
  const char *name;
  void (*run)(struct line *reply, char *rest);
  /* Instead of `run`, for a command that ends the guest. */
  ending end;
} commands[] = {
    {"echo", echo, NULL},
    {"count", count, NULL},
    {"nonce", show_nonce, NULL},
    {"mark", set_mark, NULL},
    {"mem", fill, NULL},
    {"memcheck", check, NULL},
    {"highmem", fill_high, NULL},
    {"highmemcheck", check_high, NULL},
    {"disks", show_disks, NULL},
    {"write", write_disk, NULL},
    {"read", read_disk, NULL},
    {"flush", flush_disk, NULL},
    {"nics", show_nics, NULL},
    {"pci", show_pci, NULL},
    {"machine", show_machine, NULL},
    {"cmdline", show_cmdline, NULL},
    {"noack", set_noack, NULL},
    {"nopower", set_nopower, NULL},
    {"hello", greet, NULL},
    {"help", help, NULL},
    {"poweroff", NULL, acpi_power_off},
    {"reboot", NULL, acpi_reset},
    {"panic", NULL, triple_fault},
    {"hang", NULL, hang},
};
#define COMMAND_COUNT (sizeof commands / sizeof commands[0])

static void help(struct line *reply, char *rest) {
  (void)rest;
  put_text(reply, "help");
  for (u32 i = 0; i < COMMAND_COUNT; i++) {
    put_text(reply, " ");
    put_text(reply, commands[i].name);
  }
}

void shell_init(void) { nonce = random_number(); }

ending shell_run(char *text, struct line *reply) {
  char *rest = text;
  const char *name = next_word(&rest);
  for (u32 i = 0; i < COMMAND_COUNT; i++) {
    const struct command *command = &commands[i];
    if (!text_equals(name, command->name)) continue;
    if (command->run)
      command->run(reply, rest);
    else
      put_text(reply, "ok");
    return command->end;
  }
  put_text(reply, "error no command ");
  put_text(reply, name);
  return NULL;
}
