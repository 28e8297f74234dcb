/* Captures on a real cable, opened with any options, read, closed, used once more, and opened again. */
#include "kernel.h"
#include "napi.h"
#include "values.h"

#define STEPS_MAX 12
#define OPEN_MAX 4
#define INBOX_BYTES 8192

static napi_value opened[OPEN_MAX];
static int is_closed[OPEN_MAX];
static size_t opened_count;

int LLVMFuzzerInitialize(int *argc, char ***argv) {
  (void)argc, (void)argv;
  start_kernel();
  return 0;
}

static void open_one(struct input *input) {
  static const char *const nics[] = {"v0", "v1", "v0", "v1", "lo", "v9", "any", "v0 "};
  const char *nic = nics[take_u8(input) % 8];
  napi_value arguments[] = {make_string(nic, strlen(nic)), any_options(input, 0)};
  struct outcome outcome = call("openCapture", arguments, 2);
  if (outcome.thrown) return;
  is_closed[opened_count] = 0;
  opened[opened_count++] = outcome.returned;
}

static void send_one(struct input *input, napi_value handle) {
  uint8_t batch[RECORD_BYTES + 128] = {0};
  uint32_t id = opened_count ? number_in(handle) : 0, bytes = take_u8(input) % 128;
  memcpy(batch, &id, sizeof id);
  memcpy(batch + 4, &bytes, sizeof bytes);
  take_bytes(input, batch + RECORD_BYTES, bytes);
  napi_value arguments[] = {make_typed_array(napi_uint8_array, batch, sizeof batch), make_number(RECORD_BYTES + bytes)};
  demand(!call("send", arguments, 2).thrown, "a batch that is right is sent");
}

static void wait_once(struct input *input) {
  size_t room = take_u8(input) < 64 ? take_u16(input) % INBOX_BYTES : INBOX_BYTES;
  napi_value arguments[] = {make_typed_array(napi_uint8_array, NULL, room), make_number(0)};
  struct outcome outcome = call("wait", arguments, 2);
  if (outcome.thrown) return demand(thrown_is(outcome, "ENOBUFS"), "only a buffer that is too small is refused");
  check_records(bytes_in(arguments[0]), number_in(outcome.returned));
}

/* Of each step u8: open, send, wait, statistics or close, of u8 which. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct input input = begin_input(data, size);
  opened_count = 0;
  for (int steps = 0; steps < STEPS_MAX && input.left; steps++) {
    uint8_t step = take_u8(&input) % 6;
    size_t which = opened_count ? take_u8(&input) % opened_count : 0;
    napi_value handle = opened_count ? opened[which] : make_number(-1);
    if (step <= 1 && opened_count < OPEN_MAX) open_one(&input);
    else if (step <= 2) send_one(&input, handle);
    else if (step == 3) wait_once(&input);
    else {
      struct outcome outcome = call(step == 4 ? "captureStatistics" : "close", &handle, 1);
      int is_open = opened_count && !is_closed[which];
      demand(is_open ? !outcome.thrown : thrown_is(outcome, "EBADF"), "a handle is good until it is closed, and not after");
      if (step == 5 && is_open) is_closed[which] = 1;
    }
  }
  end_of_input();
  return 0;
}
