/*
 * The C shim: captures and injection through libpcap, netlink, scheduling and the watchdog, as a
 * Node-API addon. It knows nothing of roles. src/shim.ts documents every function, the records of
 * `wait` and the entries of `send`; this file only carries them out.
 *
 * Every failure is thrown as an Error with `operation` and `errno` (a name), which src/shim.ts turns
 * into a SystemFailure. No function allocates per frame; every loop has a bound.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/netlink.h>
#include <linux/sockios.h>
#include <linux/watchdog.h>
#include <linux/wireless.h>
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
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define HANDLES_MAX 128
#define FRAMES_PER_WAIT 64
#define RECORD_BYTES 16
#define INPUT_BYTES 65536
#define PROTOCOLS_MAX 32
#define ALIGN(n) (((n) + 7) & ~(size_t)7)

enum kind { FREE, CAPTURE, SUBSCRIPTION, INPUT, SIGNALS, WATCHDOG };
enum record { FRAME = 1, NETLINK = 2, INPUT_DATA = 3, SIGNAL = 4, FAILED = 5 };

static struct handle {
  enum kind kind;
  int fd;
  int dead; /* reported as failed; not polled any more */
  pcap_t *pcap;
} handles[HANDLES_MAX];

static int netlink_sockets[PROTOCOLS_MAX];
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

static void string_of(napi_env env, napi_value value, char *out, size_t size) {
  size_t length = 0;
  out[0] = 0;
  napi_get_value_string_utf8(env, value, out, size, &length);
}

static int32_t int_of(napi_env env, napi_value value) {
  int32_t number = -1;
  napi_get_value_int32(env, value, &number);
  return number;
}

static napi_value number(napi_env env, double value) {
  napi_value result;
  napi_create_double(env, value, &result);
  return result;
}

static int new_handle(enum kind kind, int fd, pcap_t *pcap) {
  for (int i = 0; i < HANDLES_MAX; i++) {
    if (handles[i].kind != FREE) continue;
    handles[i] = (struct handle){.kind = kind, .fd = fd, .pcap = pcap};
    return i;
  }
  return -1;
}

static struct handle *handle_of(napi_env env, napi_value value, enum kind kind) {
  int32_t index = int_of(env, value);
  if (index < 0 || index >= HANDLES_MAX || handles[index].kind != kind) return NULL;
  return &handles[index];
}

static void release(struct handle *handle) {
  if (handle->kind == CAPTURE) pcap_close(handle->pcap);
  else if (handle->kind != INPUT) close(handle->fd); /* an input descriptor belongs to the caller */
  handle->kind = FREE;
}

/* ── clock and scheduling ─────────────────────────────────────────────────────────────────────── */

static napi_value now(napi_env env, napi_callback_info info) {
  (void)info;
  struct timespec time;
  clock_gettime(CLOCK_BOOTTIME, &time);
  return number(env, time.tv_sec * 1e3 + time.tv_nsec / 1e6);
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

static napi_value capture_failure(napi_env env, const char *nic, int status, pcap_t *pcap) {
  char operation[64];
  snprintf(operation, sizeof operation, "open capture on %s", nic);
  int error = status == PCAP_ERROR_PERM_DENIED || status == PCAP_ERROR_PROMISC_PERM_DENIED ? EPERM
              : status == PCAP_ERROR_NO_SUCH_DEVICE                                        ? ENODEV
              : status == PCAP_ERROR_IFACE_NOT_UP                                          ? ENETDOWN
                                                                                           : EIO;
  char text[PCAP_ERRBUF_SIZE] = "";
  if (error == EIO && pcap) snprintf(text, sizeof text, "%s", pcap_geterr(pcap));
  if (pcap) pcap_close(pcap);
  return fail_text(env, operation, error, text[0] ? text : NULL);
}

static napi_value option(napi_env env, napi_value options, const char *name) {
  napi_value value;
  napi_get_named_property(env, options, name, &value);
  return value;
}

static napi_value open_capture(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  char nic[32], filter[1024], error[PCAP_ERRBUF_SIZE];
  bool promiscuous = false;
  string_of(env, argument[0], nic, sizeof nic);
  string_of(env, option(env, argument[1], "filter"), filter, sizeof filter);
  napi_get_value_bool(env, option(env, argument[1], "promiscuous"), &promiscuous);
  pcap_t *pcap = pcap_create(nic, error);
  if (!pcap) return capture_failure(env, nic, PCAP_ERROR, NULL);
  pcap_set_snaplen(pcap, int_of(env, option(env, argument[1], "snap_bytes")));
  pcap_set_buffer_size(pcap, int_of(env, option(env, argument[1], "buffer_bytes")));
  pcap_set_promisc(pcap, promiscuous);
  pcap_set_immediate_mode(pcap, 1);
  int status = pcap_activate(pcap);
  if (status < 0) return capture_failure(env, nic, status, pcap);
  struct bpf_program program;
  if (pcap_compile(pcap, &program, filter, 1, PCAP_NETMASK_UNKNOWN)) {
    char text[PCAP_ERRBUF_SIZE];
    snprintf(text, sizeof text, "%s", pcap_geterr(pcap));
    pcap_close(pcap);
    return fail_text(env, "compile capture filter", EINVAL, text);
  }
  status = pcap_setfilter(pcap, &program);
  pcap_freecode(&program);
  if (status || pcap_setdirection(pcap, PCAP_D_IN) || pcap_setnonblock(pcap, 1, error)) return capture_failure(env, nic, PCAP_ERROR, pcap);
  int index = new_handle(CAPTURE, pcap_get_selectable_fd(pcap), pcap);
  if (index < 0) {
    pcap_close(pcap);
    return fail(env, "open capture", EMFILE);
  }
  return number(env, index);
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
    uint32_t index, bytes;
    int32_t status = 0;
    memcpy(&index, batch + at, 4);
    memcpy(&bytes, batch + at + 4, 4);
    if (at + RECORD_BYTES + bytes > (size_t)length) return fail(env, "send frames", EMSGSIZE);
    if (index >= HANDLES_MAX || handles[index].kind != CAPTURE) status = EBADF;
    else if (send(handles[index].fd, batch + at + RECORD_BYTES, bytes, MSG_DONTWAIT) < 0) status = errno;
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
};

static int put(struct out *out, uint16_t kind, uint32_t source, const void *payload, uint32_t bytes) {
  size_t need = RECORD_BYTES + ALIGN(bytes);
  if (out->length + need > out->size) return 0;
  uint8_t *at = out->data + out->length;
  memset(at, 0, RECORD_BYTES);
  memcpy(at, &kind, 2);
  memcpy(at + 4, &source, 4);
  memcpy(at + 8, &bytes, 4);
  if (bytes) memcpy(at + RECORD_BYTES, payload, bytes);
  out->length += need;
  return 1;
}

static void put_failed(struct out *out, int index, int error) {
  int32_t code = error;
  handles[index].dead = 1;
  put(out, FAILED, index, &code, 4);
}

static int has_room(const struct out *out, size_t bytes) {
  return out->length + RECORD_BYTES + ALIGN(bytes) <= out->size;
}

static void take_frames(struct out *out, int index) {
  for (int i = 0; i < FRAMES_PER_WAIT; i++) {
    struct pcap_pkthdr *header;
    const u_char *frame;
    if (!has_room(out, pcap_snapshot(handles[index].pcap))) return;
    int status = pcap_next_ex(handles[index].pcap, &header, &frame);
    if (status == 0) return;
    if (status < 0) return put_failed(out, index, ENODEV);
    put(out, FRAME, index, frame, header->caplen);
  }
}

static void take_datagrams(struct out *out, int index) {
  for (int i = 0; i < FRAMES_PER_WAIT && has_room(out, 8192); i++) {
    ssize_t bytes = recv(handles[index].fd, scratch, sizeof scratch, MSG_DONTWAIT);
    /* ENOBUFS: notifications were lost. An empty record says so: whoever reads it looks for himself. */
    if (bytes < 0 && errno == ENOBUFS) bytes = 0;
    else if (bytes < 0) return;
    if (!put(out, NETLINK, index, scratch, bytes)) put(out, NETLINK, index, NULL, 0);
  }
}

static void take_input(struct out *out, int index) {
  size_t room = out->size - out->length;
  if (room < RECORD_BYTES + 8) return;
  room = room - RECORD_BYTES < sizeof scratch ? (room - RECORD_BYTES) & ~(size_t)7 : sizeof scratch;
  ssize_t bytes = read(handles[index].fd, scratch, room);
  if (bytes < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (bytes <= 0) handles[index].dead = 1;
  put(out, INPUT_DATA, handles[index].fd, scratch, bytes > 0 ? bytes : 0);
}

static void take_signal(struct out *out, int index) {
  struct signalfd_siginfo signal;
  while (has_room(out, 0) && read(handles[index].fd, &signal, sizeof signal) == sizeof signal) put(out, SIGNAL, signal.ssi_signo, NULL, 0);
}

static napi_value wait_for(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  struct out out = {0};
  double timeout_ms = 0;
  if (!bytes_of(env, argument[0], &out.data, &out.size)) return fail(env, "wait", EINVAL);
  napi_get_value_double(env, argument[1], &timeout_ms);
  struct pollfd polled[HANDLES_MAX];
  int index_of[HANDLES_MAX], count = 0;
  for (int i = 0; i < HANDLES_MAX; i++) {
    if (handles[i].kind == FREE || handles[i].kind == WATCHDOG || handles[i].dead) continue;
    polled[count] = (struct pollfd){.fd = handles[i].fd, .events = POLLIN};
    index_of[count++] = i;
  }
  struct timespec timeout = {.tv_sec = (time_t)(timeout_ms / 1e3)};
  timeout.tv_nsec = (long)((timeout_ms - timeout.tv_sec * 1e3) * 1e6);
  int ready = ppoll(polled, count, timeout_ms < 0 ? NULL : &timeout, NULL);
  if (ready < 0 && errno != EINTR) return fail(env, "wait", errno);
  for (int i = 0; ready > 0 && i < count; i++) {
    if (!polled[i].revents) continue;
    int index = index_of[i];
    switch (handles[index].kind) {
    case CAPTURE: take_frames(&out, index); break;
    case SUBSCRIPTION: take_datagrams(&out, index); break;
    case INPUT: take_input(&out, index); break;
    case SIGNALS: take_signal(&out, index); break;
    default: break;
    }
  }
  return number(env, out.length);
}

static napi_value watch_input(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  int fd = int_of(env, argument[0]);
  int flags = fcntl(fd, F_GETFL);
  if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) return fail(env, "watch input", errno);
  return new_handle(INPUT, fd, NULL) < 0 ? fail(env, "watch input", EMFILE) : NULL;
}

static napi_value watch_signals(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  uint32_t length = 0;
  sigset_t set;
  sigemptyset(&set);
  napi_get_array_length(env, argument[0], &length);
  for (uint32_t i = 0; i < length; i++) {
    napi_value element;
    napi_get_element(env, argument[0], i, &element);
    sigaddset(&set, int_of(env, element));
  }
  if (sigprocmask(SIG_BLOCK, &set, NULL)) return fail(env, "watch signals", errno);
  int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
  if (fd < 0) return fail(env, "watch signals", errno);
  return new_handle(SIGNALS, fd, NULL) < 0 ? fail(env, "watch signals", EMFILE) : NULL;
}

static napi_value write_bytes(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  uint8_t *data;
  size_t length;
  int fd = int_of(env, argument[0]);
  if (!bytes_of(env, argument[1], &data, &length)) return fail(env, "write", EINVAL);
  struct pollfd polled = {.fd = fd, .events = POLLOUT};
  /* A pipe takes at least PIPE_BUF bytes without blocking where it is writable. */
  if (poll(&polled, 1, 0) != 1 || !(polled.revents & POLLOUT)) return number(env, 0);
  ssize_t written = write(fd, data, length < 4096 ? length : 4096);
  if (written < 0 && (errno == EAGAIN || errno == EINTR || errno == EPIPE)) written = 0;
  return written < 0 ? fail(env, "write", errno) : number(env, written);
}

static napi_value close_handle(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  int32_t index = int_of(env, argument[0]);
  if (index < 0 || index >= HANDLES_MAX || handles[index].kind == FREE) return fail(env, "close handle", EBADF);
  release(&handles[index]);
  return NULL;
}

/* ── netlink ──────────────────────────────────────────────────────────────────────────────────── */

static int netlink_socket(int protocol, unsigned groups) {
  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
  struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = groups};
  int size = 1 << 20;
  if (fd < 0) return -1;
  setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
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
  int fd = netlink_socket(int_of(env, argument[0]), 0);
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
  if (index >= 0) return number(env, index);
  close(fd);
  return fail(env, "subscribe to netlink", EMFILE);
}

static int request_socket(int protocol) {
  if (protocol < 0 || protocol >= PROTOCOLS_MAX) return errno = EPROTONOSUPPORT, -1;
  if (netlink_sockets[protocol]) return netlink_sockets[protocol];
  int fd = netlink_socket(protocol, 0);
  if (fd < 0) return -1;
  struct timeval timeout = {.tv_sec = 1};
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

/* The sequence numbers of a request: the first, and the last that asks for an answer. */
static int answered_sequences(const uint8_t *request, size_t length, uint32_t *first, uint32_t *last) {
  int found = 0;
  for (size_t at = 0; at + sizeof(struct nlmsghdr) <= length;) {
    const struct nlmsghdr *header = (const struct nlmsghdr *)(request + at);
    if (header->nlmsg_len < sizeof *header || at + header->nlmsg_len > length) return 0;
    if (at == 0) *first = header->nlmsg_seq;
    if (header->nlmsg_flags & (NLM_F_ACK | NLM_F_DUMP)) *last = header->nlmsg_seq, found = 1;
    at += NLMSG_ALIGN(header->nlmsg_len);
  }
  return found;
}

static napi_value netlink_request(napi_env env, napi_callback_info info) {
  ARGUMENTS(3);
  uint8_t *request, *reply;
  size_t length, size, filled = 0;
  uint32_t first = 0, last = 0;
  if (!bytes_of(env, argument[1], &request, &length) || !bytes_of(env, argument[2], &reply, &size)) return fail(env, "netlink request", EINVAL);
  if (!answered_sequences(request, length, &first, &last)) return fail(env, "netlink request", EINVAL);
  int fd = request_socket(int_of(env, argument[0]));
  if (fd < 0) return fail(env, "open netlink", errno);
  while (recv(fd, scratch, sizeof scratch, MSG_DONTWAIT) > 0) {} /* answers nobody waited for any more */
  struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
  if (sendto(fd, request, length, 0, (struct sockaddr *)&kernel, sizeof kernel) < 0) return fail(env, "netlink request", errno);
  for (;;) {
    ssize_t bytes = recv(fd, scratch, sizeof scratch, MSG_TRUNC);
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes < 0) return fail(env, "netlink answer", errno == EAGAIN ? ETIMEDOUT : errno);
    if ((size_t)bytes > sizeof scratch) return fail(env, "netlink answer", EMSGSIZE);
    for (struct nlmsghdr *header = (struct nlmsghdr *)scratch; NLMSG_OK(header, (size_t)bytes); header = NLMSG_NEXT(header, bytes)) {
      if (header->nlmsg_seq - first > last - first && header->nlmsg_type != NLMSG_ERROR) continue;
      if (header->nlmsg_type == NLMSG_ERROR) {
        int error = -((struct nlmsgerr *)NLMSG_DATA(header))->error;
        if (error) return fail(env, "netlink request", error);
        if (header->nlmsg_seq == last) return number(env, filled);
        continue;
      }
      if (header->nlmsg_type == NLMSG_DONE) return number(env, filled);
      size_t aligned = NLMSG_ALIGN(header->nlmsg_len);
      if (filled + aligned > size) return fail(env, "netlink answer", ENOBUFS);
      memcpy(reply + filled, header, header->nlmsg_len);
      filled += aligned;
    }
  }
}

/* ── interfaces and the watchdog ──────────────────────────────────────────────────────────────── */

static int interface_ioctl(const char *nic, unsigned long request, void *data) {
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  struct ifreq ifreq = {0};
  snprintf(ifreq.ifr_name, sizeof ifreq.ifr_name, "%s", nic);
  ifreq.ifr_data = data;
  int status = ioctl(fd, request, &ifreq);
  int error = errno;
  close(fd);
  errno = error;
  return status;
}

static napi_value driver(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  char nic[32];
  napi_value result;
  struct ethtool_drvinfo about = {.cmd = ETHTOOL_GDRVINFO};
  string_of(env, argument[0], nic, sizeof nic);
  if (interface_ioctl(nic, SIOCETHTOOL, &about)) {
    if (errno == ENODEV) return fail(env, "read driver", ENODEV);
    about.driver[0] = 0;
  }
  napi_create_string_utf8(env, about.driver, NAPI_AUTO_LENGTH, &result);
  return result;
}

static napi_value wireless(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  char nic[32], path[96];
  napi_value result;
  struct iwreq request = {0};
  string_of(env, argument[0], nic, sizeof nic);
  snprintf(path, sizeof path, "/sys/class/net/%s/phy80211", nic);
  int is_wireless = access(path, F_OK) == 0 || interface_ioctl(nic, SIOCGIWNAME, &request) == 0;
  napi_get_boolean(env, is_wireless, &result);
  return result;
}

static napi_value open_watchdog(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  char path[128];
  int timeout_s = int_of(env, argument[1]);
  string_of(env, argument[0], path, sizeof path);
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return fail(env, "open watchdog", errno);
  if (ioctl(fd, WDIOC_SETTIMEOUT, &timeout_s)) {
    int error = errno;
    if (write(fd, "V", 1) < 0) error = errno; /* magic close: do not leave it armed */
    close(fd);
    return fail(env, "set watchdog time-out", error);
  }
  int index = new_handle(WATCHDOG, fd, NULL);
  if (index >= 0) return number(env, index);
  close(fd);
  return fail(env, "open watchdog", EMFILE);
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
  if (write(handle->fd, "V", 1) < 0) return fail(env, "disarm watchdog", errno);
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
