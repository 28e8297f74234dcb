/*
 * The C shim: captures and injection through libpcap, netlink, scheduling and the watchdog, as a
 * Node-API addon. It knows nothing of roles. src/shim.ts documents every function, the records of
 * `wait` and the entries of `send`; this file only carries them out.
 *
 * Every failure is thrown as an Error with `operation` and `errno` (a name), which src/shim.ts turns
 * into a SystemFailure. No function allocates per frame; every loop has a bound.
 */
#include <net/if.h> /* before the kernel's own, which gives way to it */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/ethtool.h>
#include <linux/netlink.h>
#include <linux/sockios.h>
#include <linux/watchdog.h>
#include <linux/wireless.h>
#include <math.h>
#include <node_api.h>
#include <pcap/pcap.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define HANDLES_MAX 128
#define GENERATIONS_MAX (1 << 23)
#define FRAMES_PER_WAIT 64
#define SNAP_BYTES_MAX 65536
#define RECORD_BYTES 16
#define INPUT_BYTES 65536
#define NOTIFICATION_BYTES 8192
#define ANSWERS_MAX 65536
#define ANSWER_MS_MAX 1000
#define PROTOCOLS_MAX 32
#define WAIT_MS_MAX 86400e3
#define ALIGN(n) (((n) + 7) & ~(size_t)7)

enum kind { FREE, CAPTURE, SUBSCRIPTION, INPUT, SIGNALS, WATCHDOG };
enum record { FRAME = 1, NETLINK = 2, INPUT_DATA = 3, SIGNAL = 4, FAILED = 5 };

static struct handle {
  enum kind kind;
  int fd;
  int dead;           /* reported as failed; not polled any more */
  uint32_t generation; /* how often the place was taken, so that a closed handle is not mistaken for a later one */
  pcap_t *pcap;
} handles[HANDLES_MAX];

static int netlink_sockets[PROTOCOLS_MAX] = {[0 ... PROTOCOLS_MAX - 1] = -1};
static int signal_pipe[2] = {-1, -1};
static uint8_t scratch[INPUT_BYTES];

/* ── errors and arguments ─────────────────────────────────────────────────────────────────────── */

static napi_value fail_text(napi_env env, const char *operation, int error, const char *text) {
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

static napi_value fail(napi_env env, const char *operation, int error) {
  return fail_text(env, operation, error, NULL);
}

#define ARGUMENTS(n)                                                                       \
  napi_value argument[n];                                                                  \
  size_t argument_count = n;                                                               \
  napi_get_cb_info(env, info, &argument_count, argument, NULL, NULL);                      \
  if (argument_count < n) return fail_text(env, __func__, EINVAL, "too few arguments")

static int bytes_of(napi_env env, napi_value value, uint8_t **data, size_t *length) {
  napi_typedarray_type type;
  return napi_get_typedarray_info(env, value, &type, length, (void **)data, NULL, NULL) == napi_ok && type == napi_uint8_array;
}

/* False for what is no string, or is too long to be taken whole: half a name would be another one. */
static int string_of(napi_env env, napi_value value, char *out, size_t size) {
  size_t length = 0, taken;
  out[0] = 0;
  if (napi_get_value_string_utf8(env, value, NULL, 0, &length) != napi_ok || length >= size) return 0;
  return napi_get_value_string_utf8(env, value, out, size, &taken) == napi_ok;
}

/* -1, which is nobody's handle, descriptor, length or group, for what is no number of that size. */
static int32_t int_of(napi_env env, napi_value value) {
  double number = -1;
  if (napi_get_value_double(env, value, &number) != napi_ok) return -1;
  return number >= INT32_MIN && number <= INT32_MAX ? (int32_t)number : -1;
}

static napi_value number(napi_env env, double value) {
  napi_value result;
  napi_create_double(env, value, &result);
  return result;
}

static int new_handle(enum kind kind, int fd, pcap_t *pcap) {
  for (int i = 0; i < HANDLES_MAX; i++) {
    if (handles[i].kind != FREE) continue;
    uint32_t generation = handles[i].generation % GENERATIONS_MAX + 1;
    handles[i] = (struct handle){.kind = kind, .fd = fd, .pcap = pcap, .generation = generation};
    return i;
  }
  return -1;
}

/* What the caller sees of a handle. */
static uint32_t id_of(int index) {
  return handles[index].generation * HANDLES_MAX + index;
}

static struct handle *handle_with(uint32_t id, enum kind kind) {
  struct handle *handle = &handles[id % HANDLES_MAX];
  return handle->kind == kind && handle->generation == id / HANDLES_MAX ? handle : NULL;
}

static struct handle *handle_of(napi_env env, napi_value value, enum kind kind) {
  return handle_with(int_of(env, value), kind);
}

static void release(struct handle *handle) {
  if (handle->kind == CAPTURE) pcap_close(handle->pcap);
  else if (handle->kind == SUBSCRIPTION || handle->kind == WATCHDOG) close(handle->fd); /* others are not ours to close */
  handle->kind = FREE;
}

/* ── clock and scheduling ─────────────────────────────────────────────────────────────────────── */

static double now_ms(void) {
  struct timespec time;
  clock_gettime(CLOCK_BOOTTIME, &time);
  return time.tv_sec * 1e3 + time.tv_nsec / 1e6;
}

static napi_value now(napi_env env, napi_callback_info info) {
  (void)info;
  return number(env, now_ms());
}

static napi_value lock_memory(napi_env env, napi_callback_info info) {
  (void)info;
  /* On fault: the runtime reserves far more address space than it ever touches. */
  if (mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT)) return fail(env, "lock memory", errno);
  return NULL;
}

static napi_value realtime(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  struct sched_param parameter = {.sched_priority = int_of(env, argument[0])};
  prctl(PR_SET_TIMERSLACK, 1UL);
  DIR *threads = opendir("/proc/self/task");
  if (!threads) return fail(env, "list threads", errno);
  int error = 0;
  struct dirent *entry;
  /* The runtime's helper threads too: a collector that starves would hold up the heartbeat. */
  while ((entry = readdir(threads)) && !error) {
    int thread = atoi(entry->d_name);
    if (thread > 0 && sched_setscheduler(thread, SCHED_FIFO, &parameter) && errno != ESRCH) error = errno;
  }
  closedir(threads);
  return error ? fail(env, "set real-time priority", error) : NULL;
}

/* ── captures ─────────────────────────────────────────────────────────────────────────────────── */

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

static napi_value open_capture(napi_env env, napi_callback_info info) {
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

static napi_value capture_statistics(napi_env env, napi_callback_info info) {
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

static napi_value send_frames(napi_env env, napi_callback_info info) {
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

/* ── waiting ──────────────────────────────────────────────────────────────────────────────────── */

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

static void take(struct out *out, int index) {
  switch (handles[index].kind) {
  case CAPTURE: return take_frames(out, index);
  case SUBSCRIPTION: return take_datagrams(out, index);
  case INPUT: return take_input(out, index);
  case SIGNALS: return take_signal(out, index);
  default: return;
  }
}

static napi_value wait_for(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  static unsigned turn; /* each call begins with another source, so that a small buffer starves none */
  struct out out = {0};
  double timeout_ms = NAN;
  napi_get_value_double(env, argument[1], &timeout_ms);
  if (!bytes_of(env, argument[0], &out.data, &out.size) || isnan(timeout_ms)) return fail(env, "wait", EINVAL);
  if (timeout_ms > WAIT_MS_MAX) timeout_ms = WAIT_MS_MAX;
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

static napi_value watch_input(napi_env env, napi_callback_info info) {
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

static napi_value watch_signals(napi_env env, napi_callback_info info) {
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

static napi_value write_bytes(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  uint8_t *data;
  size_t length;
  int fd = int_of(env, argument[0]);
  if (!bytes_of(env, argument[1], &data, &length)) return fail(env, "write", EINVAL);
  struct pollfd polled = {.fd = fd, .events = POLLOUT};
  /* A pipe takes at least PIPE_BUF bytes without blocking where it is writable; where it is broken, write says how. */
  if (fd >= 0 && poll(&polled, 1, 0) == 0) return number(env, 0);
  ssize_t written = write(fd, data, length < PIPE_BUF ? length : PIPE_BUF);
  if (written < 0 && (errno == EAGAIN || errno == EINTR)) written = 0;
  return written < 0 ? fail(env, "write", errno) : number(env, written);
}

static napi_value close_handle(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  static const enum kind closable[] = {CAPTURE, SUBSCRIPTION, WATCHDOG};
  for (size_t i = 0; i < sizeof closable / sizeof closable[0]; i++) {
    struct handle *handle = handle_of(env, argument[0], closable[i]);
    if (handle) return release(handle), NULL;
  }
  return fail(env, "close handle", EBADF);
}

/* ── netlink ──────────────────────────────────────────────────────────────────────────────────── */

/* As much as the administrator may take, or as the system lets everybody have. */
static void enlarge(int fd, int forced, int polite) {
  int size = 1 << 20;
  if (setsockopt(fd, SOL_SOCKET, forced, &size, sizeof size)) setsockopt(fd, SOL_SOCKET, polite, &size, sizeof size);
}

static int netlink_socket(int protocol) {
  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
  struct sockaddr_nl address = {.nl_family = AF_NETLINK};
  if (fd < 0) return -1;
  enlarge(fd, SO_SNDBUFFORCE, SO_SNDBUF);
  enlarge(fd, SO_RCVBUFFORCE, SO_RCVBUF);
  if (bind(fd, (struct sockaddr *)&address, sizeof address)) {
    int error = errno;
    close(fd);
    errno = error;
    return -1;
  }
  return fd;
}

static napi_value subscribe(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  uint32_t length = 0;
  int fd = netlink_socket(int_of(env, argument[0]));
  if (fd < 0) return fail(env, "subscribe to netlink", errno);
  napi_get_array_length(env, argument[1], &length);
  for (uint32_t i = 0; i < length; i++) {
    napi_value element;
    napi_get_element(env, argument[1], i, &element);
    int group = int_of(env, element);
    if (setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group)) {
      int error = errno;
      close(fd);
      return fail(env, "subscribe to netlink", error);
    }
  }
  int index = new_handle(SUBSCRIPTION, fd, NULL);
  if (index >= 0) return number(env, id_of(index));
  close(fd);
  return fail(env, "subscribe to netlink", EMFILE);
}

static int request_socket(int protocol) {
  if (protocol < 0 || protocol >= PROTOCOLS_MAX) return errno = EPROTONOSUPPORT, -1;
  if (netlink_sockets[protocol] >= 0) return netlink_sockets[protocol];
  int fd = netlink_socket(protocol);
  if (fd < 0) return -1;
  struct timeval timeout = {.tv_sec = ANSWER_MS_MAX / 1000};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
  return netlink_sockets[protocol] = fd;
}

static napi_value netlink_port(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  struct sockaddr_nl address;
  socklen_t length = sizeof address;
  int fd = request_socket(int_of(env, argument[0]));
  if (fd < 0 || getsockname(fd, (struct sockaddr *)&address, &length)) return fail(env, "netlink port", errno);
  return number(env, address.nl_pid);
}

/* Which sequence numbers a request uses, from `first` to `end`, and the last that asks for an answer. */
struct sequences {
  uint32_t first, end, answered;
};

static int sequences_of(const uint8_t *request, size_t length, struct sequences *found) {
  int asks = 0;
  for (size_t at = 0; at + sizeof(struct nlmsghdr) <= length;) {
    struct nlmsghdr header;
    memcpy(&header, request + at, sizeof header);
    if (header.nlmsg_len < sizeof header || header.nlmsg_len > length - at) return 0;
    if (at == 0) found->first = header.nlmsg_seq;
    found->end = header.nlmsg_seq;
    if (header.nlmsg_flags & (NLM_F_ACK | NLM_F_DUMP)) found->answered = header.nlmsg_seq, asks = 1;
    at += NLMSG_ALIGN(header.nlmsg_len);
  }
  return asks;
}

/* Takes answers away that nobody waited for any more. An overrun (ENOBUFS) is told once and hides what is behind it. */
static void drain(int fd) {
  for (int i = 0; i < ANSWERS_MAX; i++)
    if (recv(fd, scratch, sizeof scratch, MSG_DONTWAIT) < 0 && errno == EAGAIN) return;
}

/* One datagram of answers, copied to `reply`. 1: that was the last; 0: there is more; otherwise the error, negative. */
static int take_answers(size_t bytes, const struct sequences *asked, uint8_t *reply, size_t size, size_t *filled) {
  for (struct nlmsghdr *header = (struct nlmsghdr *)scratch; NLMSG_OK(header, bytes); header = NLMSG_NEXT(header, bytes)) {
    if (header->nlmsg_seq - asked->first > asked->end - asked->first) continue; /* to an earlier request */
    if (header->nlmsg_type == NLMSG_ERROR) {
      if (header->nlmsg_len < NLMSG_LENGTH(sizeof(int))) return -EBADMSG;
      int error = ((struct nlmsgerr *)NLMSG_DATA(header))->error;
      if (error) return error < 0 ? error : -EBADMSG;
      if (header->nlmsg_seq == asked->answered) return 1;
      continue;
    }
    if (header->nlmsg_type == NLMSG_DONE) {
      /* A list that the kernel had to break off says why here. */
      int error = header->nlmsg_len < NLMSG_LENGTH(sizeof error) ? 0 : *(int *)NLMSG_DATA(header);
      return error < 0 ? error : 1;
    }
    size_t aligned = NLMSG_ALIGN(header->nlmsg_len);
    if (aligned > size - *filled) return -ENOBUFS;
    memcpy(reply + *filled, header, header->nlmsg_len);
    memset(reply + *filled + header->nlmsg_len, 0, aligned - header->nlmsg_len);
    *filled += aligned;
  }
  return 0;
}

static napi_value netlink_request(napi_env env, napi_callback_info info) {
  ARGUMENTS(3);
  uint8_t *request, *reply;
  size_t length, size, filled = 0;
  struct sequences asked = {0};
  if (!bytes_of(env, argument[1], &request, &length) || !bytes_of(env, argument[2], &reply, &size)) return fail(env, "netlink request", EINVAL);
  if (!sequences_of(request, length, &asked)) return fail(env, "netlink request", EINVAL);
  int fd = request_socket(int_of(env, argument[0]));
  if (fd < 0) return fail(env, "open netlink", errno);
  drain(fd);
  struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
  if (sendto(fd, request, length, 0, (struct sockaddr *)&kernel, sizeof kernel) < 0) return fail(env, "netlink request", errno);
  double asked_ms = now_ms();
  for (int i = 0; i < ANSWERS_MAX; i++) {
    struct sockaddr_nl from = {0};
    socklen_t from_size = sizeof from;
    ssize_t bytes = recvfrom(fd, scratch, sizeof scratch, MSG_TRUNC, (struct sockaddr *)&from, &from_size);
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes < 0) return fail(env, "netlink answer", errno == EAGAIN ? ETIMEDOUT : errno);
    if (from.nl_pid != 0) {
      /* Not from the kernel. Looked at only here, as after a freeze the kernel's answer is there, however late. */
      if (now_ms() - asked_ms > ANSWER_MS_MAX) return fail(env, "netlink answer", ETIMEDOUT);
      continue;
    }
    if ((size_t)bytes > sizeof scratch) return fail(env, "netlink answer", EMSGSIZE);
    int status = take_answers(bytes, &asked, reply, size, &filled);
    if (status < 0) return fail(env, status == -ENOBUFS ? "netlink answer" : "netlink request", -status);
    if (status > 0) return number(env, filled);
  }
  return fail(env, "netlink answer", ETIMEDOUT);
}

/* ── interfaces and the watchdog ──────────────────────────────────────────────────────────────── */

static int interface_ioctl(const char *nic, unsigned long request, void *data) {
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  struct ifreq ifreq = {.ifr_data = data};
  snprintf(ifreq.ifr_name, sizeof ifreq.ifr_name, "%s", nic);
  int status = ioctl(fd, request, &ifreq);
  int error = errno;
  close(fd);
  errno = error;
  return status;
}

static napi_value driver(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  char nic[IF_NAMESIZE];
  napi_value result;
  struct ethtool_drvinfo about = {.cmd = ETHTOOL_GDRVINFO};
  if (!string_of(env, argument[0], nic, sizeof nic)) return fail(env, "read driver", ENODEV);
  if (interface_ioctl(nic, SIOCETHTOOL, &about)) {
    if (errno != EOPNOTSUPP) return fail(env, "read driver", errno);
    about.driver[0] = 0;
  }
  napi_create_string_utf8(env, about.driver, strnlen(about.driver, sizeof about.driver), &result);
  return result;
}

static napi_value wireless(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  char nic[IF_NAMESIZE], path[96];
  napi_value result;
  if (!string_of(env, argument[0], nic, sizeof nic) || !if_nametoindex(nic)) return fail(env, "look for wireless", ENODEV);
  snprintf(path, sizeof path, "/sys/class/net/%s/phy80211", nic);
  int is_wireless = access(path, F_OK) == 0 || interface_ioctl(nic, SIOCGIWNAME, NULL) == 0;
  napi_get_boolean(env, is_wireless, &result);
  return result;
}

/* The magic close: without it the machine resets. */
static int disarm(int fd) {
  return write(fd, "V", 1) == 1 ? 0 : -1;
}

static napi_value open_watchdog(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  char path[128];
  struct watchdog_info about;
  int timeout_s = int_of(env, argument[1]);
  if (!string_of(env, argument[0], path, sizeof path)) return fail(env, "open watchdog", ENAMETOOLONG);
  int fd = open(path, O_WRONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return fail(env, "open watchdog", errno);
  /* Nothing is written to a file that does not say it is a watchdog. */
  if (ioctl(fd, WDIOC_GETSUPPORT, &about)) {
    int error = errno;
    close(fd);
    return fail(env, "open watchdog", error);
  }
  int error = ioctl(fd, WDIOC_SETTIMEOUT, &timeout_s) ? errno : 0;
  int index = error ? -1 : new_handle(WATCHDOG, fd, NULL);
  if (index >= 0) return number(env, id_of(index));
  disarm(fd);
  close(fd);
  return error ? fail(env, "set watchdog time-out", error) : fail(env, "open watchdog", EMFILE);
}

static napi_value pet_watchdog(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  struct handle *handle = handle_of(env, argument[0], WATCHDOG);
  if (!handle) return fail(env, "pet watchdog", EBADF);
  return ioctl(handle->fd, WDIOC_KEEPALIVE, 0) ? fail(env, "pet watchdog", errno) : NULL;
}

static napi_value disarm_watchdog(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  struct handle *handle = handle_of(env, argument[0], WATCHDOG);
  if (!handle) return fail(env, "disarm watchdog", EBADF);
  if (disarm(handle->fd)) return fail(env, "disarm watchdog", errno);
  release(handle);
  return NULL;
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
      {"netlinkPort", netlink_port},
      {"write", write_bytes},
      {"driver", driver},
      {"wireless", wireless},
      {"lockMemory", lock_memory},
      {"realtime", realtime},
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
