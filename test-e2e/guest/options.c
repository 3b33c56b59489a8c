/* Words of the kernel command line that this guest understands: noack, nopower, quiet. */
#include "guest.h"

const char *command_line(void) { return start_info->cmdline ? (const char *)start_info->cmdline : ""; }

bool has_option(const char *name) {
  const char *at = command_line();
  u64 length = text_length(name);
  while (*at) {
    while (*at == ' ') at++;
    const char *word = at;
    while (*at && *at != ' ') at++;
    if ((u64)(at - word) == length && bytes_equal(word, name, length)) return true;
  }
  return false;
}
