/* See values.h. */
#include "values.h"
#include "kernel.h"

#include <math.h>

#define DEPTH_MAX 2
#define ELEMENTS_MAX 4
#define BYTES_MAX 4096

static napi_value any_number(struct input *input) {
  static const double odd[] = {-1, 0, 1, 15, 16, 0.5, NAN, INFINITY, -INFINITY, 2147483647, -2147483648.0, 4294967295.0, 1e300, -0.0};
  uint8_t choice = take_u8(input);
  if (choice < 64) return make_number(odd[choice % (sizeof odd / sizeof odd[0])]);
  if (choice < 160) return make_number(id_of(choice % 4));
  if (choice < 176) return make_number(pipe_end(choice % 2));
  if (choice < 224) return make_number(take_u16(input));
  return make_number(take_double(input));
}

static napi_value any_string(struct input *input) {
  static const char *const known[] = {"", "lo", "v0", "v1", "v9", "any", "arp", "ether proto 0x88b5", "port blue", "/dev/watchdog"};
  char text[1500];
  uint8_t choice = take_u8(input);
  if (choice < 160) {
    const char *word = known[choice % (sizeof known / sizeof known[0])];
    return make_string(word, strlen(word));
  }
  size_t length = choice < 240 ? choice % 64 : sizeof text;
  memset(text, 'x', sizeof text);
  take_bytes(input, text, length < 64 ? length : 64);
  return make_string(text, length);
}

static napi_value any_bytes(struct input *input) {
  uint8_t bytes[BYTES_MAX] = {0};
  size_t length = take_u16(input) % BYTES_MAX;
  take_bytes(input, bytes, length < 256 ? length : 256);
  return make_typed_array(napi_uint8_array, bytes, length);
}

napi_value any_options(struct input *input, int depth) {
  static const char *const names[] = {"filter", "snap_bytes", "buffer_bytes", "promiscuous"};
  napi_value options = make(OBJECT);
  uint8_t odd = take_u8(input);
  for (int i = 0; i < 4; i++) {
    if (odd >> i & 1) {
      if (odd >> (i + 4) & 1) set_property(options, names[i], any_value(input, depth + 1));
    } else if (i == 0) set_property(options, names[i], any_string(input));
    else set_property(options, names[i], i == 3 ? make_boolean(odd >> 7) : make_number(1 << (take_u8(input) % 20)));
  }
  return options;
}

napi_value any_value(struct input *input, int depth) {
  uint8_t choice = take_u8(input) % 16;
  if (depth >= DEPTH_MAX && choice >= 12) return make(UNDEFINED);
  switch (choice) {
  case 0: return make(UNDEFINED);
  case 1: return make(NULL_VALUE);
  case 2: return make_boolean(take_u8(input) & 1);
  case 3: return make_typed_array(take_u8(input) % 11, NULL, take_u8(input) * 8);
  case 4: case 5: case 6: return any_string(input);
  case 7: case 8: case 9: return any_bytes(input);
  case 10: case 11: case 12: return any_number(input);
  case 13: return any_options(input, depth);
  default: {
    napi_value elements[ELEMENTS_MAX];
    uint32_t count = take_u8(input) % (ELEMENTS_MAX + 1);
    for (uint32_t i = 0; i < count; i++) elements[i] = any_value(input, depth + 1);
    return make_array(elements, count, choice == 14 ? count : count + take_u8(input));
  }
  }
}
