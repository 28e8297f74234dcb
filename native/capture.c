/* Captures and injection through libpcap. */
#include "shim.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define SNAP_BYTES_MAX 65536

static napi_value capture_failure(napi_env env, const char *operation, int status, pcap_t *pcap) {
  int error = errno;
  if (status == PCAP_ERROR_PERM_DENIED || status == PCAP_ERROR_PROMISC_PERM_DENIED) error = EPERM;
  if (status == PCAP_ERROR_NO_SUCH_DEVICE) error = ENODEV;
  if (status == PCAP_ERROR_IFACE_NOT_UP) error = ENETDOWN;
  char text[PCAP_ERRBUF_SIZE] = "";
  if (!error) error = EIO;
  if (status == PCAP_ERROR) snprintf(text, sizeof text, "%s", pcap_geterr(pcap));
  pcap_close(pcap);
  return fail_text(env, operation, error, text[0] ? text : NULL);
}

static napi_value option(napi_env env, napi_value options, const char *name) {
  napi_value value = NULL;
  return napi_get_named_property(env, options, name, &value) == napi_ok ? value : NULL;
}

napi_value open_capture(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  char nic[IF_NAMESIZE], filter[1024], text[PCAP_ERRBUF_SIZE], operation[64] = "open capture";
  bool promiscuous = false;
  /* Only what the kernel knows by this name: to libpcap some names are no interfaces (any, nflog). */
  if (!string_of(env, argument[0], nic, sizeof nic) || !nic[0]) return fail(env, operation, ENODEV);
  snprintf(operation, sizeof operation, "open capture on %s", nic);
  if (!if_nametoindex(nic)) return fail(env, operation, errno);
  int32_t snap_bytes = int_of(env, option(env, argument[1], "snap_bytes"));
  int32_t buffer_bytes = int_of(env, option(env, argument[1], "buffer_bytes"));
  if (snap_bytes < 1 || snap_bytes > SNAP_BYTES_MAX || buffer_bytes < 1) return fail(env, operation, EINVAL);
  if (!string_of(env, option(env, argument[1], "filter"), filter, sizeof filter)) return fail(env, "compile capture filter", E2BIG);
  napi_get_value_bool(env, option(env, argument[1], "promiscuous"), &promiscuous);
  pcap_t *pcap = pcap_create(nic, text);
  if (!pcap) return fail_text(env, operation, ENOMEM, text);
  pcap_set_snaplen(pcap, snap_bytes);
  pcap_set_buffer_size(pcap, buffer_bytes);
  pcap_set_promisc(pcap, promiscuous);
  pcap_set_immediate_mode(pcap, 1);
  errno = 0;
  int status = pcap_activate(pcap);
  if (status < 0) return capture_failure(env, operation, status, pcap);
  int fd = pcap_get_selectable_fd(pcap);
  if (pcap_datalink(pcap) != DLT_EN10MB) {
    pcap_close(pcap);
    return fail(env, operation, EMEDIUMTYPE);
  }
  struct bpf_program program;
  if (pcap_compile(pcap, &program, filter, 1, PCAP_NETMASK_UNKNOWN)) {
    snprintf(text, sizeof text, "%s", pcap_geterr(pcap));
    pcap_close(pcap);
    return fail_text(env, "compile capture filter", EINVAL, text);
  }
  status = pcap_setfilter(pcap, &program);
  pcap_freecode(&program);
  if (status || pcap_setdirection(pcap, PCAP_D_IN) || pcap_setnonblock(pcap, 1, text) || fcntl(fd, F_SETFD, FD_CLOEXEC))
    return capture_failure(env, operation, PCAP_ERROR, pcap);
  int index = new_handle(CAPTURE, fd, pcap);
  if (index >= 0) return number(env, id_of(index));
  pcap_close(pcap);
  return fail(env, operation, EMFILE);
}

napi_value capture_statistics(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  struct handle *handle = handle_of(env, argument[0], CAPTURE);
  if (!handle) return fail(env, "read capture statistics", EBADF);
  struct pcap_stat statistics = {0};
  if (pcap_stats(handle->pcap, &statistics)) return fail(env, "read capture statistics", EIO);
  napi_value result;
  napi_create_object(env, &result);
  napi_set_named_property(env, result, "received", number(env, statistics.ps_recv));
  napi_set_named_property(env, result, "dropped", number(env, statistics.ps_drop));
  return result;
}

napi_value send_frames(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  uint8_t *batch;
  size_t size;
  int32_t length = int_of(env, argument[1]);
  if (!bytes_of(env, argument[0], &batch, &size) || length < 0 || (size_t)length > size) return fail(env, "send frames", EINVAL);
  int failures = 0;
  for (size_t at = 0; at + RECORD_BYTES <= (size_t)length;) {
    uint32_t id, bytes;
    int32_t status = 0;
    memcpy(&id, batch + at, 4);
    memcpy(&bytes, batch + at + 4, 4);
    if (at + RECORD_BYTES + bytes > (size_t)length) return fail(env, "send frames", EMSGSIZE);
    struct handle *capture = handle_with(id, CAPTURE);
    if (!capture) status = EBADF;
    else if (send(capture->fd, batch + at + RECORD_BYTES, bytes, MSG_DONTWAIT) < 0) status = errno;
    memcpy(batch + at + 8, &status, 4);
    failures += status != 0;
    at += RECORD_BYTES + ALIGN(bytes);
  }
  return number(env, failures);
}
