/*
 * What the parts of the shim share: errors, arguments and the table of handles. Every part has its own file;
 * src/shim.ts documents every function.
 *
 * Every failure is thrown as an Error with `operation` and `errno` (a name), which src/shim.ts turns
 * into a SystemFailure. No function allocates per frame; every loop has a bound.
 */
#pragma once

#include <node_api.h>
#include <pcap/pcap.h>
#include <stddef.h>
#include <stdint.h>

#define HANDLES_MAX 128
#define RECORD_BYTES 16
#define SCRATCH_BYTES 65536
#define ALIGN(n) (((n) + 7) & ~(size_t)7)

enum kind { FREE, CAPTURE, SUBSCRIPTION, INPUT, SIGNALS, WATCHDOG, BACKGROUND };

struct handle {
  enum kind kind;
  int fd;
  int dead;            /* reported as failed; not polled any more */
  uint32_t generation; /* how often the place was taken, so that a closed handle is not mistaken for a later one */
  pcap_t *pcap;
};

extern struct handle handles[HANDLES_MAX];
extern uint8_t scratch[SCRATCH_BYTES]; /* for what is read and handed on within one call */

napi_value fail(napi_env env, const char *operation, int error);
napi_value fail_text(napi_env env, const char *operation, int error, const char *text);

#define ARGUMENTS(n)                                                                       \
  napi_value argument[n];                                                                  \
  size_t argument_count = n;                                                               \
  napi_get_cb_info(env, info, &argument_count, argument, NULL, NULL);                      \
  if (argument_count < n) return fail_text(env, __func__, EINVAL, "too few arguments")

int bytes_of(napi_env env, napi_value value, uint8_t **data, size_t *length);
int string_of(napi_env env, napi_value value, char *out, size_t size);
int32_t int_of(napi_env env, napi_value value);
napi_value number(napi_env env, double value);

int new_handle(enum kind kind, int fd, pcap_t *pcap);
uint32_t id_of(int index);
struct handle *handle_with(uint32_t id, enum kind kind);
struct handle *handle_of(napi_env env, napi_value value, enum kind kind);
void release(struct handle *handle);

double now_ms(void);
void background_taken(void);

napi_value now(napi_env env, napi_callback_info info);
napi_value open_capture(napi_env env, napi_callback_info info);
napi_value capture_statistics(napi_env env, napi_callback_info info);
napi_value send_frames(napi_env env, napi_callback_info info);
napi_value subscribe(napi_env env, napi_callback_info info);
napi_value watch_input(napi_env env, napi_callback_info info);
napi_value watch_signals(napi_env env, napi_callback_info info);
napi_value close_handle(napi_env env, napi_callback_info info);
napi_value wait_for(napi_env env, napi_callback_info info);
napi_value netlink_request(napi_env env, napi_callback_info info);
napi_value netlink_in_background(napi_env env, napi_callback_info info);
napi_value background_end(napi_env env, napi_callback_info info);
napi_value background_port(napi_env env, napi_callback_info info);
napi_value new_netlink_socket(napi_env env, napi_callback_info info);
napi_value adopt_netlink_socket(napi_env env, napi_callback_info info);
napi_value netlink_port(napi_env env, napi_callback_info info);
napi_value write_bytes(napi_env env, napi_callback_info info);
napi_value notify(napi_env env, napi_callback_info info);
napi_value driver(napi_env env, napi_callback_info info);
napi_value wireless(napi_env env, napi_callback_info info);
napi_value lock_memory(napi_env env, napi_callback_info info);
napi_value realtime(napi_env env, napi_callback_info info);
napi_value be_nice(napi_env env, napi_callback_info info);
napi_value leave_rights(napi_env env, napi_callback_info info);
napi_value open_watchdog(napi_env env, napi_callback_info info);
napi_value pet_watchdog(napi_env env, napi_callback_info info);
napi_value disarm_watchdog(napi_env env, napi_callback_info info);
