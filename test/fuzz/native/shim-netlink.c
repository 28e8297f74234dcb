/* netlink: a request and the kernel's answers to it, both out of the input. */
#include "kernel.h"
#include "napi.h"

#define SENTINEL 0xa5

int LLVMFuzzerInitialize(int *argc, char ***argv) {
  (void)argc, (void)argv;
  start_kernel();
  return 0;
}

/* u8 protocol · u8 request's length · u16 room for the answer · request · what the kernel answers. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct input input = begin_input(data, size);
  uint8_t request[256];
  int protocol = (int8_t)take_u8(&input);
  uint8_t length = take_u8(&input);
  uint16_t room = take_u16(&input);
  size_t taken = take_bytes(&input, request, length);
  kernel = input;
  napi_value reply = make_typed_array(napi_uint8_array, NULL, room);
  if (room) memset(bytes_in(reply), SENTINEL, room);
  napi_value arguments[] = {make_number(protocol), make_typed_array(napi_uint8_array, request, taken), reply};
  struct outcome outcome = call("netlink", arguments, 3);
  if (!outcome.thrown) {
    size_t filled = number_in(outcome.returned);
    demand(filled <= room && filled % 4 == 0, "the answer lies in its buffer");
    for (size_t i = filled; i < room; i++) demand(bytes_in(reply)[i] == SENTINEL, "nothing is written behind the answer");
  }
  end_of_input();
  return 0;
}
