/*
 * The C shim: captures and injection through libpcap (capture.c), netlink (netlink.c), waiting for all of it
 * (wait.c), clock, scheduling, interfaces and the watchdog (system.c), rights (rights.c), as a Node-API addon. It knows nothing
 * of roles. Here is what the parts share, and the list of functions.
 */
#include "shim.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define GENERATIONS_MAX (1 << 23)

struct handle handles[HANDLES_MAX];
uint8_t scratch[SCRATCH_BYTES];

napi_value fail_text(napi_env env, const char *operation, int error, const char *text) {
  napi_value message, name, value;
  char line[512];
  const char *code = strerrorname_np(error);
  if (!code) code = "EIO";
  snprintf(line, sizeof line, "%s: %s (%s)", operation, text ? text : strerror(error), code);
  napi_create_string_utf8(env, line, NAPI_AUTO_LENGTH, &message);
  napi_create_error(env, NULL, message, &value);
  napi_create_string_utf8(env, operation, NAPI_AUTO_LENGTH, &name);
  napi_set_named_property(env, value, "operation", name);
  napi_create_string_utf8(env, code, NAPI_AUTO_LENGTH, &name);
  napi_set_named_property(env, value, "errno", name);
  napi_throw(env, value);
  return NULL;
}

napi_value fail(napi_env env, const char *operation, int error) {
  return fail_text(env, operation, error, NULL);
}

int bytes_of(napi_env env, napi_value value, uint8_t **data, size_t *length) {
  napi_typedarray_type type;
  return napi_get_typedarray_info(env, value, &type, length, (void **)data, NULL, NULL) == napi_ok && type == napi_uint8_array;
}

/* False for what is no string, or is too long to be taken whole: half a name would be another one. */
int string_of(napi_env env, napi_value value, char *out, size_t size) {
  size_t length = 0, taken;
  out[0] = 0;
  if (napi_get_value_string_utf8(env, value, NULL, 0, &length) != napi_ok || length >= size) return 0;
  return napi_get_value_string_utf8(env, value, out, size, &taken) == napi_ok;
}

/* -1, which is nobody's handle, descriptor, length or group, for what is no number of that size. */
int32_t int_of(napi_env env, napi_value value) {
  double number = -1;
  if (napi_get_value_double(env, value, &number) != napi_ok) return -1;
  return number >= INT32_MIN && number <= INT32_MAX ? (int32_t)number : -1;
}

napi_value number(napi_env env, double value) {
  napi_value result;
  napi_create_double(env, value, &result);
  return result;
}

int new_handle(enum kind kind, int fd, pcap_t *pcap) {
  for (int i = 0; i < HANDLES_MAX; i++) {
    if (handles[i].kind != FREE) continue;
    uint32_t generation = handles[i].generation % GENERATIONS_MAX + 1;
    handles[i] = (struct handle){.kind = kind, .fd = fd, .pcap = pcap, .generation = generation};
    return i;
  }
  return -1;
}

/* What the caller sees of a handle. */
uint32_t id_of(int index) {
  return handles[index].generation * HANDLES_MAX + index;
}

struct handle *handle_with(uint32_t id, enum kind kind) {
  struct handle *handle = &handles[id % HANDLES_MAX];
  return handle->kind == kind && handle->generation == id / HANDLES_MAX ? handle : NULL;
}

struct handle *handle_of(napi_env env, napi_value value, enum kind kind) {
  return handle_with(int_of(env, value), kind);
}

void release(struct handle *handle) {
  if (handle->kind == CAPTURE) pcap_close(handle->pcap);
  else if (handle->kind == SUBSCRIPTION || handle->kind == WATCHDOG) close(handle->fd); /* others are not ours to close */
  handle->kind = FREE;
}

napi_value close_handle(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  static const enum kind closable[] = {CAPTURE, SUBSCRIPTION, WATCHDOG};
  for (size_t i = 0; i < sizeof closable / sizeof closable[0]; i++) {
    struct handle *handle = handle_of(env, argument[0], closable[i]);
    if (handle) return release(handle), NULL;
  }
  return fail(env, "close handle", EBADF);
}

NAPI_MODULE_INIT() {
  static const struct {
    const char *name;
    napi_callback function;
  } functions[] = {
      {"now", now},
      {"openCapture", open_capture},
      {"captureStatistics", capture_statistics},
      {"send", send_frames},
      {"subscribe", subscribe},
      {"watchInput", watch_input},
      {"watchSignals", watch_signals},
      {"close", close_handle},
      {"wait", wait_for},
      {"netlink", netlink_request},
      {"netlinkInBackground", netlink_in_background},
      {"awaitBackground", background_end},
      {"backgroundPort", background_port},
      {"netlinkPort", netlink_port},
      {"newNetlinkSocket", new_netlink_socket},
      {"adoptNetlinkSocket", adopt_netlink_socket},
      {"write", write_bytes},
      {"notify", notify},
      {"driver", driver},
      {"wireless", wireless},
      {"lockMemory", lock_memory},
      {"realtime", realtime},
      {"beNice", be_nice},
      {"leaveRights", leave_rights},
      {"openWatchdog", open_watchdog},
      {"petWatchdog", pet_watchdog},
      {"disarmWatchdog", disarm_watchdog},
  };
  for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
    napi_value function;
    napi_create_function(env, functions[i].name, NAPI_AUTO_LENGTH, functions[i].function, NULL, &function);
    napi_set_named_property(env, exports, functions[i].name, function);
  }
  return exports;
}
