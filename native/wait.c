/* Waiting for frames, notifications, input and signals, all in one place and into one buffer. */
#include "shim.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define FRAMES_PER_WAIT 64
#define NOTIFICATION_BYTES 8192
#define ERROR_NAME_BYTES 32
#define WAIT_MS_MAX 86400e3

enum record { FRAME = 1, NETLINK = 2, INPUT_DATA = 3, SIGNAL = 4, FAILED = 5, DONE = 6 };

static int signal_pipe[2] = {-1, -1};

struct out {
  uint8_t *data;
  size_t size, length;
  int full; /* something was left for want of room */
};

static int has_room(struct out *out, size_t bytes) {
  if (out->length + RECORD_BYTES + ALIGN(bytes) <= out->size) return 1;
  out->full = 1;
  return 0;
}

static int put(struct out *out, uint16_t kind, uint32_t source, const void *payload, uint32_t bytes) {
  if (!has_room(out, bytes)) return 0;
  uint8_t *at = out->data + out->length;
  memset(at, 0, RECORD_BYTES);
  memcpy(at, &kind, 2);
  memcpy(at + 4, &source, 4);
  memcpy(at + 8, &bytes, 4);
  if (bytes) memcpy(at + RECORD_BYTES, payload, bytes);
  out->length += RECORD_BYTES + ALIGN(bytes);
  return 1;
}

static void put_failed(struct out *out, int index, int error) {
  int32_t code = error;
  if (put(out, FAILED, id_of(index), &code, sizeof code)) handles[index].dead = 1;
}

static void take_frames(struct out *out, int index) {
  for (int i = 0; i < FRAMES_PER_WAIT && has_room(out, pcap_snapshot(handles[index].pcap)); i++) {
    struct pcap_pkthdr *header;
    const u_char *frame;
    int status = pcap_next_ex(handles[index].pcap, &header, &frame);
    if (status == 0) return;
    if (status < 0) return put_failed(out, index, ENODEV);
    put(out, FRAME, id_of(index), frame, header->caplen);
  }
}

static void take_datagrams(struct out *out, int index) {
  for (int i = 0; i < FRAMES_PER_WAIT && has_room(out, NOTIFICATION_BYTES); i++) {
    struct sockaddr_nl from = {0};
    socklen_t size = sizeof from;
    ssize_t bytes = recvfrom(handles[index].fd, scratch, sizeof scratch, MSG_DONTWAIT | MSG_TRUNC, (struct sockaddr *)&from, &size);
    if (bytes < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (bytes < 0 && errno != ENOBUFS) return put_failed(out, index, errno);
    if (bytes >= 0 && from.nl_pid != 0) continue; /* not from the kernel */
    /* Notifications were lost, or one is too long. An empty record says so: whoever reads it looks for himself. */
    if (bytes < 0 || (size_t)bytes > sizeof scratch || !put(out, NETLINK, id_of(index), scratch, bytes)) put(out, NETLINK, id_of(index), NULL, 0);
  }
}

static void take_input(struct out *out, int index) {
  if (!has_room(out, 8)) return;
  size_t room = (out->size - out->length - RECORD_BYTES) & ~(size_t)7;
  int fd = handles[index].fd;
  ssize_t bytes = read(fd, scratch, room < sizeof scratch ? room : sizeof scratch);
  if (bytes < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (bytes <= 0) release(&handles[index]); /* its end, whatever it was; the number may be another file's soon */
  put(out, INPUT_DATA, fd, scratch, bytes > 0 ? bytes : 0);
}

static void take_signal(struct out *out, int index) {
  uint8_t signal;
  while (has_room(out, 0) && read(handles[index].fd, &signal, 1) == 1) put(out, SIGNAL, signal, NULL, 0);
}

static void take_done(struct out *out, int index) {
  int32_t error;
  if (!has_room(out, ERROR_NAME_BYTES) || read(handles[index].fd, &error, sizeof error) != sizeof error) return;
  background_taken();
  const char *name = error ? strerrorname_np(error) : "";
  if (!name) name = "EIO";
  put(out, DONE, 0, name, strlen(name));
}

static void take(struct out *out, int index) {
  switch (handles[index].kind) {
  case CAPTURE: return take_frames(out, index);
  case SUBSCRIPTION: return take_datagrams(out, index);
  case INPUT: return take_input(out, index);
  case SIGNALS: return take_signal(out, index);
  case BACKGROUND: return take_done(out, index);
  default: return;
  }
}

napi_value wait_for(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  static unsigned turn; /* each call begins with another source, so that a small buffer starves none */
  struct out out = {0};
  double timeout_ms = NAN;
  napi_get_value_double(env, argument[1], &timeout_ms);
  if (!bytes_of(env, argument[0], &out.data, &out.size) || isnan(timeout_ms)) return fail(env, "wait", EINVAL);
  /* Infinite ones too, which no integer can hold. */
  if (timeout_ms > WAIT_MS_MAX) timeout_ms = WAIT_MS_MAX;
  if (timeout_ms < -1) timeout_ms = -1;
  struct pollfd polled[HANDLES_MAX];
  int index_of[HANDLES_MAX], count = 0;
  for (int i = 0; i < HANDLES_MAX; i++) {
    if (handles[i].kind == FREE || handles[i].kind == WATCHDOG || handles[i].dead) continue;
    polled[count] = (struct pollfd){.fd = handles[i].fd, .events = POLLIN};
    index_of[count++] = i;
  }
  struct timespec timeout = {.tv_sec = (time_t)(timeout_ms / 1e3)};
  timeout.tv_nsec = (long)((timeout_ms - timeout.tv_sec * 1e3) * 1e6);
  if (ppoll(polled, count, timeout_ms < 0 ? NULL : &timeout, NULL) < 0) {
    if (errno != EINTR) return fail(env, "wait", errno);
    count = 0;
  }
  turn++;
  for (int i = 0; i < count; i++) {
    int at = (i + turn) % count, index = index_of[at];
    /* After an interface went down, only libpcap's own look tells whether it has gone for good. */
    int suspect = handles[index].kind == CAPTURE && pcap_get_required_select_timeout(handles[index].pcap);
    if (polled[at].revents || suspect) take(&out, index);
  }
  /* What cannot be taken even into an empty buffer would wake every call from now on. */
  return out.full && !out.length ? fail(env, "wait", ENOBUFS) : number(env, out.length);
}

napi_value watch_input(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  int fd = int_of(env, argument[0]);
  int flags = fcntl(fd, F_GETFL);
  if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) return fail(env, "watch input", errno);
  for (int i = 0; i < HANDLES_MAX; i++)
    if (handles[i].kind == INPUT && handles[i].fd == fd) return NULL;
  return new_handle(INPUT, fd, NULL) < 0 ? fail(env, "watch input", EMFILE) : NULL;
}

/* On whatever thread it runs. Blocking the signals instead would not do: the runtime's threads do not block them. */
static void on_signal(int signal) {
  int error = errno;
  uint8_t byte = signal;
  if (write(signal_pipe[1], &byte, 1) < 0) {} /* full: so many are waiting that one more says nothing new */
  errno = error;
}

napi_value watch_signals(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  uint32_t length = 0;
  struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
  if (signal_pipe[0] < 0) {
    if (pipe2(signal_pipe, O_NONBLOCK | O_CLOEXEC)) return fail(env, "watch signals", errno);
    if (new_handle(SIGNALS, signal_pipe[0], NULL) < 0) {
      for (int end = 0; end < 2; end++) close(signal_pipe[end]), signal_pipe[end] = -1;
      return fail(env, "watch signals", EMFILE);
    }
  }
  napi_get_array_length(env, argument[0], &length);
  for (uint32_t i = 0; i < length; i++) {
    napi_value element;
    napi_get_element(env, argument[0], i, &element);
    if (sigaction(int_of(env, element), &action, NULL)) return fail(env, "watch signals", errno);
  }
  return NULL;
}
