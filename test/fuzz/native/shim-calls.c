/* Every function of the shim, in any order, with any arguments and any number of them. */
#include "kernel.h"
#include "napi.h"
#include "values.h"

#include <unistd.h>

#define CALLS_MAX 24
#define ARGUMENTS_MAX 5

int LLVMFuzzerInitialize(int *argc, char ***argv) {
  (void)argc, (void)argv;
  frames_from_kernel = 1;
  start_kernel();
  return 0;
}

/* Of each call: u8 function, u8 number of arguments, arguments (values.h) · what the kernel says comes in between. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  kernel = begin_input(data, size);
  add_capture(512);
  add_subscription();
  for (int calls = 0; calls < CALLS_MAX && kernel.left; calls++) {
    const char *name = function_name(take_u8(&kernel));
    size_t count = take_u8(&kernel) % ARGUMENTS_MAX;
    napi_value arguments[ARGUMENTS_MAX];
    for (size_t i = 0; i < count; i++) arguments[i] = any_value(&kernel, 0);
    /* Another thread would read the same input; what it does with it is shim-netlink's. */
    if (!strcmp(name, "netlinkInBackground")) continue;
    struct outcome outcome = call(name, arguments, count);
    /* This one is its caller's. */
    if (!outcome.thrown && !strcmp(name, "newNetlinkSocket")) close(number_in(outcome.returned));
    forget_values();
  }
  end_of_input();
  return 0;
}
