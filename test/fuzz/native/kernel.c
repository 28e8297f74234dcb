/* See kernel.h. */
#include "kernel.h"
#include "napi.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/watchdog.h>
#include <poll.h>
#include <sanitizer/asan_interface.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

struct input kernel;
int frames_from_kernel;

static int pipe_ends[2] = {-1, -1};
static int lowest_free;
static int raising; /* the shim's handler runs, and writes to its own pipe */

static int errno_of(uint8_t choice) {
  static const int errors[] = {EAGAIN, EINTR, ENOBUFS, EIO, EPERM, ENODEV, EBADF, ESRCH, EOPNOTSUPP};
  return errors[choice % (sizeof errors / sizeof errors[0])];
}

/* 0, or -1 with an error, as the input says; 0 once it is used up. */
static int status(void) {
  uint8_t choice = take_u8(&kernel);
  if (choice < 128) return 0;
  return errno = errno_of(choice), -1;
}

/* As a kernel would, so that a read past their end is seen. */
static void look_at(const void *bytes, size_t length) {
  for (size_t i = 0; i < length; i++) (void)((const volatile uint8_t *)bytes)[i];
}

/* Bytes of a datagram; what lies behind them in the buffer may not be read any more. */
static ssize_t datagram(void *buffer, size_t size) {
  ASAN_UNPOISON_MEMORY_REGION(buffer, size);
  if (!kernel.left) return errno = EAGAIN, -1;
  uint8_t choice = take_u8(&kernel);
  if (choice >= 240) return errno = errno_of(choice), -1;
  size_t bytes = take_u16(&kernel) + (choice >= 232 ? SCRATCH_BYTES : 0);
  size_t written = bytes < size ? bytes : size;
  memset(buffer, 0, written);
  take_bytes(&kernel, buffer, written);
  ASAN_POISON_MEMORY_REGION((uint8_t *)buffer + written, size - written);
  /* Longer than the buffer where it did not fit: MSG_TRUNC. */
  return bytes;
}

ssize_t kernel_recvfrom(int fd, void *buffer, size_t size, int flags, struct sockaddr *from, socklen_t *from_size) {
  (void)fd, (void)flags;
  demand(*from_size >= sizeof(struct sockaddr_nl), "there is room for the sender");
  struct sockaddr_nl sender = {.nl_family = AF_NETLINK, .nl_pid = take_u8(&kernel) >= 240};
  memcpy(from, &sender, sizeof sender);
  return datagram(buffer, size);
}

ssize_t kernel_recv(int fd, void *buffer, size_t size, int flags) {
  (void)fd, (void)flags;
  ASAN_UNPOISON_MEMORY_REGION(buffer, size);
  if (take_u8(&kernel) < 200) return errno = EAGAIN, -1;
  return datagram(buffer, size);
}

ssize_t kernel_sendto(int fd, const void *bytes, size_t length, int flags, const struct sockaddr *to, socklen_t to_size) {
  (void)fd, (void)flags, (void)to, (void)to_size;
  look_at(bytes, length);
  return status() ? -1 : (ssize_t)length;
}

int kernel_ppoll(struct pollfd *polled, nfds_t count, const struct timespec *timeout, const sigset_t *mask) {
  (void)mask;
  if (timeout) demand(timeout->tv_sec >= 0 && timeout->tv_nsec >= 0 && timeout->tv_nsec < 1000000000, "the time to wait is a time");
  int ready = 0;
  if (kernel.left && status()) return -1;
  for (nfds_t i = 0; i < count; i++) {
    polled[i].revents = frames_from_kernel ? (take_u8(&kernel) & 1 ? POLLIN : 0) : POLLIN;
    ready += polled[i].revents != 0;
  }
  return ready;
}

int kernel_pcap_next_ex(pcap_t *pcap, struct pcap_pkthdr **header, const u_char **frame) {
  static struct pcap_pkthdr about;
  static u_char *bytes;
  if (!frames_from_kernel) return pcap_next_ex(pcap, header, frame);
  free(bytes);
  bytes = NULL;
  uint8_t choice = take_u8(&kernel);
  if (!kernel.left || choice < 32) return 0;
  if (choice >= 250) return PCAP_ERROR;
  about.len = take_u16(&kernel);
  about.caplen = about.len < (unsigned)pcap_snapshot(pcap) ? about.len : (unsigned)pcap_snapshot(pcap);
  bytes = about.caplen ? calloc(1, about.caplen) : NULL;
  take_bytes(&kernel, bytes, about.caplen);
  *header = &about;
  *frame = bytes;
  return 1;
}

ssize_t kernel_read(int fd, void *buffer, size_t size) {
  if (fd != pipe_ends[0]) return read(fd, buffer, size);
  ASAN_UNPOISON_MEMORY_REGION(buffer, size);
  if (kernel.left && status()) return -1;
  uint16_t wanted = take_u16(&kernel);
  return take_bytes(&kernel, buffer, wanted < size ? wanted : size);
}

ssize_t kernel_write(int fd, const void *bytes, size_t length) {
  if (raising) return write(fd, bytes, length);
  look_at(bytes, length);
  return status() ? -1 : (ssize_t)length;
}

/* Only a watchdog is opened. */
int kernel_open(const char *path, int flags) {
  look_at(path, strlen(path));
  return status() ? -1 : open("/dev/null", flags);
}

int kernel_ioctl(int fd, unsigned long request, ...) {
  va_list rest;
  va_start(rest, request);
  void *data = va_arg(rest, void *);
  va_end(rest);
  if (_IOC_TYPE(request) == WATCHDOG_IOCTL_BASE) return status();
  return ioctl(fd, request, data);
}

int kernel_fcntl(int fd, int command, ...) {
  va_list rest;
  va_start(rest, command);
  long argument = va_arg(rest, long);
  va_end(rest);
  if ((command == F_GETFL || command == F_SETFL) && fd != pipe_ends[0]) return errno = EBADF, -1;
  return fcntl(fd, command, argument);
}

int kernel_sigaction(int signal, const struct sigaction *action, struct sigaction *before) {
  if (signal == SIGUSR1) return sigaction(signal, action, before);
  if (signal < 1 || signal > SIGRTMAX || signal == SIGKILL || signal == SIGSTOP) return errno = EINVAL, -1;
  return 0;
}

int kernel_sched_setscheduler(pid_t thread, int policy, const struct sched_param *parameter) {
  (void)thread, (void)policy, (void)parameter;
  return status();
}

int kernel_mlockall(int flags) {
  (void)flags;
  return status();
}

/* The rights of the fuzzer itself stay as they are. */
int kernel_prctl(int option, ...) {
  (void)option;
  return status();
}

int kernel_setpriority(int which, id_t who, int priority) {
  (void)which, (void)who, (void)priority;
  return status();
}

int kernel_setrlimit(int resource, const void *limits) {
  (void)resource, (void)limits;
  return status();
}

int kernel_setgroups(size_t count, const gid_t *groups) {
  (void)count, (void)groups;
  return status();
}

int kernel_setresgid(gid_t real, gid_t effective, gid_t saved) {
  (void)real, (void)effective, (void)saved;
  return status();
}

int kernel_setresuid(uid_t real, uid_t effective, uid_t saved) {
  (void)real, (void)effective, (void)saved;
  return status();
}

int kernel_setuid(uid_t user) {
  (void)user;
  return status();
}

long kernel_syscall(long number, ...) {
  (void)number;
  return status();
}

void raise_signal(void) {
  raising = 1;
  raise(SIGUSR1);
  raising = 0;
}

int pipe_end(int writing) {
  return pipe_ends[writing];
}

int add_capture(int snap_bytes) {
  return new_handle(CAPTURE, -1, pcap_open_dead(DLT_EN10MB, snap_bytes));
}

int add_subscription(void) {
  return new_handle(SUBSCRIPTION, dup(pipe_ends[0]), NULL);
}

int add_input(void) {
  return new_handle(INPUT, pipe_ends[0], NULL);
}

/* The lowest number that is free grows when a file stays open. */
static int lowest_free_descriptor(void) {
  int fd = dup(pipe_ends[0]);
  demand(fd >= 0, "there are files to be had");
  close(fd);
  return fd;
}

void start_kernel(void) {
  list_functions();
  napi_value signal = make_number(SIGUSR1);
  napi_value signals = make_array(&signal, 1, 1);
  demand(pipe2(pipe_ends, O_CLOEXEC | O_NONBLOCK) == 0, "there is a pipe");
  demand(!call("watchSignals", &signals, 1).thrown, "signals can be watched");
  for (int protocol = 0; protocol < 32; protocol++) {
    napi_value number = make_number(protocol);
    call("netlinkPort", &number, 1);
  }
  forget_values();
}

struct input begin_input(const uint8_t *data, size_t size) {
  lowest_free = lowest_free_descriptor();
  kernel = (struct input){NULL, 0};
  return (struct input){data, size};
}

void end_of_input(void) {
  /* The first handle is that of the signals, which stays. */
  for (int i = 1; i < HANDLES_MAX; i++) {
    if (handles[i].kind != FREE) release(&handles[i]);
    handles[i] = (struct handle){0};
  }
  forget_values();
  demand(lowest_free_descriptor() == lowest_free, "no file is left open");
}

void check_records(const uint8_t *out, size_t length) {
  size_t at = 0;
  while (at < length) {
    uint16_t kind;
    uint32_t bytes;
    demand(at + RECORD_BYTES <= length, "a record has its header");
    memcpy(&kind, out + at, sizeof kind);
    memcpy(&bytes, out + at + 8, sizeof bytes);
    demand(kind >= 1 && kind <= 5, "a record is of a kind there is");
    at += RECORD_BYTES + ALIGN(bytes);
  }
  demand(at == length, "records fill what was returned");
}
