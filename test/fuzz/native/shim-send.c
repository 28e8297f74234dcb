/* send: a batch of frames out of the input, onto a real cable. */
#include "kernel.h"
#include "napi.h"

#include <math.h>

int LLVMFuzzerInitialize(int *argc, char ***argv) {
  (void)argc, (void)argv;
  start_kernel();
  return 0;
}

static void open_cable(const char *nic) {
  napi_value options = make(OBJECT);
  set_property(options, "filter", make_string("", 0));
  set_property(options, "snap_bytes", make_number(256));
  set_property(options, "buffer_bytes", make_number(1 << 16));
  napi_value arguments[] = {make_string(nic, strlen(nic)), options};
  demand(!call("openCapture", arguments, 2).thrown, "the cable's end can be opened");
}

/* Byte 0: how the length said differs from the batch's, 0 to 3 not at all; the rest is the batch. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const double odd[] = {-1, 1, 8, 16, 1e9, -2147483648.0, 0.5, 4294967296.0};
  static int opened;
  /* Opened once: closing a packet socket waits for the kernel, and would be most of the time. */
  if (!opened++) open_cable("v0"), open_cable("v1");
  if (!size) return 0;
  const uint8_t *batch = data + 1;
  size_t bytes = size - 1;
  double length = bytes;
  if (data[0] >= 4) length += odd[data[0] % 8];
  napi_value arguments[] = {make_typed_array(napi_uint8_array, batch, bytes), make_number(length)};
  struct outcome outcome = call("send", arguments, 2);
  if (trunc(length) < 0 || trunc(length) > bytes) demand(outcome.thrown != NULL, "a length outside the batch is refused");
  else if (!outcome.thrown) demand(number_in(outcome.returned) <= size / RECORD_BYTES, "no more failures than frames");
  /* An entry's status is at 8 to 11 of its header, which starts at a multiple of 8. */
  for (size_t i = 0; i < bytes; i++)
    if (i % 8 >= 4) demand(bytes_in(arguments[0])[i] == batch[i], "nothing but statuses is written");
  forget_values();
  return 0;
}
