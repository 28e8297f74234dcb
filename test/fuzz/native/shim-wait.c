/* wait: frames, notifications, input and signals out of the input, packed as records into buffers of any size. */
#include "kernel.h"
#include "napi.h"

#include <math.h>

#define WAITS_MAX 8
#define SOURCES_MAX 12

int LLVMFuzzerInitialize(int *argc, char ***argv) {
  (void)argc, (void)argv;
  frames_from_kernel = 1;
  start_kernel();
  return 0;
}

static double timeout_of(uint8_t choice) {
  static const double odd[] = {-1, 0.5, 1e300, -1e300, INFINITY, -INFINITY, NAN, 86400e3, 999.9999999, -1e-9};
  return choice < 128 ? 0 : odd[choice % (sizeof odd / sizeof odd[0])];
}

/* u8 number of sources · of each u8 kind, u16 snap bytes · then for each wait u16 room, u8 time · what arrives. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  kernel = begin_input(data, size);
  for (int count = take_u8(&kernel) % SOURCES_MAX; count > 0; count--) {
    uint8_t kind = take_u8(&kernel);
    uint16_t snap_bytes = take_u16(&kernel);
    if (kind % 4 == 0) add_subscription();
    else if (kind % 4 == 1) add_input();
    else add_capture(snap_bytes + 1);
  }
  for (int waits = 0; waits < WAITS_MAX && kernel.left; waits++) {
    uint16_t room = take_u16(&kernel);
    uint8_t choice = take_u8(&kernel);
    if (choice & 1) raise_signal();
    napi_value arguments[] = {make_typed_array(napi_uint8_array, NULL, room), make_number(timeout_of(choice))};
    struct outcome outcome = call("wait", arguments, 2);
    if (!outcome.thrown) {
      size_t length = number_in(outcome.returned);
      demand(length <= room, "records lie in their buffer");
      check_records(bytes_in(arguments[0]), length);
    }
    forget_values();
  }
  end_of_input();
  return 0;
}
