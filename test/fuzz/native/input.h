/* The bytes of one input, taken one after the other; zeros once they are used up. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct input {
  const uint8_t *at;
  size_t left;
};

static inline size_t take_bytes(struct input *input, void *out, size_t wanted) {
  size_t bytes = wanted < input->left ? wanted : input->left;
  if (bytes) memcpy(out, input->at, bytes);
  input->at += bytes;
  input->left -= bytes;
  return bytes;
}

static inline uint8_t take_u8(struct input *input) {
  uint8_t value = 0;
  take_bytes(input, &value, sizeof value);
  return value;
}

static inline uint16_t take_u16(struct input *input) {
  uint16_t value = 0;
  take_bytes(input, &value, sizeof value);
  return value;
}

static inline uint32_t take_u32(struct input *input) {
  uint32_t value = 0;
  take_bytes(input, &value, sizeof value);
  return value;
}

static inline double take_double(struct input *input) {
  double value = 0;
  take_bytes(input, &value, sizeof value);
  return value;
}
