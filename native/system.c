/* The clock, scheduling, pipes, what a driver says of its interface, and the watchdog. */
#include "shim.h"

#include <net/if.h> /* before the kernel's own, which gives way to it */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <linux/watchdog.h>
#include <linux/wireless.h>
#include <poll.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

double now_ms(void) {
  struct timespec time;
  clock_gettime(CLOCK_BOOTTIME, &time);
  return time.tv_sec * 1e3 + time.tv_nsec / 1e6;
}

napi_value now(napi_env env, napi_callback_info info) {
  (void)info;
  return number(env, now_ms());
}

napi_value lock_memory(napi_env env, napi_callback_info info) {
  (void)info;
  /* On fault: the runtime reserves far more address space than it ever touches. */
  if (mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT)) return fail(env, "lock memory", errno);
  return NULL;
}

static int schedule_realtime(pid_t thread, int priority) {
  struct sched_param parameter = {.sched_priority = priority};
  return sched_setscheduler(thread, SCHED_FIFO, &parameter);
}

static int schedule_nice(pid_t thread, int niceness) {
  return setpriority(PRIO_PROCESS, thread, niceness);
}

/* On Linux each thread has its own priority; one that ended meanwhile needs none. */
static napi_value each_thread(napi_env env, int (*schedule)(pid_t, int), int value, const char *operation) {
  DIR *threads = opendir("/proc/self/task");
  if (!threads) return fail(env, "list threads", errno);
  int error = 0;
  struct dirent *entry;
  while ((entry = readdir(threads)) && !error) {
    int thread = atoi(entry->d_name);
    if (thread > 0 && schedule(thread, value) && errno != ESRCH) error = errno;
  }
  closedir(threads);
  return error ? fail(env, operation, error) : NULL;
}

napi_value realtime(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  prctl(PR_SET_TIMERSLACK, 1UL);
  /* The runtime's helper threads too: a collector that starves would hold up the heartbeat. */
  return each_thread(env, schedule_realtime, int_of(env, argument[0]), "set real-time priority");
}

napi_value be_nice(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  return each_thread(env, schedule_nice, int_of(env, argument[0]), "set priority");
}

napi_value write_bytes(napi_env env, napi_callback_info info) {
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

/* A datagram to a Unix socket; a name that begins with @ is one of the abstract namespace (unix(7)). */
napi_value notify(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  struct sockaddr_un to = {.sun_family = AF_UNIX};
  uint8_t *text;
  size_t length;
  if (!string_of(env, argument[0], to.sun_path, sizeof to.sun_path) || !to.sun_path[0]) return fail(env, "notify", EINVAL);
  if (!bytes_of(env, argument[1], &text, &length)) return fail(env, "notify", EINVAL);
  socklen_t size = offsetof(struct sockaddr_un, sun_path) + strlen(to.sun_path);
  if (to.sun_path[0] == '@') to.sun_path[0] = 0;
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return fail(env, "notify", errno);
  int error = sendto(fd, text, length, MSG_NOSIGNAL, (struct sockaddr *)&to, size) < 0 ? errno : 0;
  close(fd);
  return error ? fail(env, "notify", error) : NULL;
}

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

napi_value driver(napi_env env, napi_callback_info info) {
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

napi_value wireless(napi_env env, napi_callback_info info) {
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

napi_value open_watchdog(napi_env env, napi_callback_info info) {
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

napi_value pet_watchdog(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  struct handle *handle = handle_of(env, argument[0], WATCHDOG);
  if (!handle) return fail(env, "pet watchdog", EBADF);
  return ioctl(handle->fd, WDIOC_KEEPALIVE, 0) ? fail(env, "pet watchdog", errno) : NULL;
}

napi_value disarm_watchdog(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  struct handle *handle = handle_of(env, argument[0], WATCHDOG);
  if (!handle) return fail(env, "disarm watchdog", EBADF);
  if (disarm(handle->fd)) return fail(env, "disarm watchdog", errno);
  release(handle);
  return NULL;
}
