/* Text without a C library. */
#include "guest.h"

u64 text_length(const char *text) {
  u64 length = 0;
  while (text[length]) length++;
  return length;
}

bool text_equals(const char *a, const char *b) {
  while (*a && *a == *b) a++, b++;
  return *a == *b;
}

bool bytes_equal(const void *a, const void *b, u64 length) {
  const u8 *left = a, *right = b;
  for (u64 i = 0; i < length; i++)
    if (left[i] != right[i]) return false;
  return true;
}

void copy_bytes(void *to, const void *from, u64 length) {
  u8 *target = to;
  const u8 *source = from;
  for (u64 i = 0; i < length; i++) target[i] = source[i];
}

/* The compiler may call these two for copies and initializers of its own. */
void *memcpy(void *to, const void *from, u64 length) {
  copy_bytes(to, from, length);
  return to;
}

void *memset(void *to, int value, u64 length) {
  u8 *target = to;
  for (u64 i = 0; i < length; i++) target[i] = (u8)value;
  return to;
}

char *next_word(char **rest) {
  char *word = *rest;
  while (*word == ' ') word++;
  char *end = word;
  while (*end && *end != ' ') end++;
  *rest = end;
  if (*end) {
    *end = 0;
    *rest = end + 1;
  }
  return word;
}

/* What a digit is worth; more than any base allows when it is none. */
static u64 digit_value(char digit) {
  if (digit >= '0' && digit <= '9') return (u64)(digit - '0');
  if (digit >= 'a' && digit <= 'f') return (u64)(digit - 'a' + 10);
  return 16;
}

bool parse_number(const char *text, u64 *number) {
  u64 base = 10, value = 0;
  if (text[0] == '0' && text[1] == 'x') base = 16, text += 2;
  if (!*text) return false;
  for (; *text; text++) {
    u64 digit = digit_value(*text);
    if (digit >= base) return false;
    value = value * base + digit;
  }
  *number = value;
  return true;
}

void put_bytes(struct line *line, const char *bytes, u64 length) {
  for (u64 i = 0; i < length && line->length < sizeof line->text; i++) line->text[line->length++] = bytes[i];
}

void put_text(struct line *line, const char *text) { put_bytes(line, text, text_length(text)); }

void put_decimal(struct line *line, u64 number) {
  char digits[20];
  u32 first = sizeof digits;
  do {
    digits[--first] = (char)('0' + number % 10);
    number /= 10;
  } while (number);
  put_bytes(line, digits + first, sizeof digits - first);
}

void put_hex(struct line *line, u64 number, u32 digits) {
  while (digits--) {
    char digit = "0123456789abcdef"[number >> (digits * 4) & 15];
    put_bytes(line, &digit, 1);
  }
}
