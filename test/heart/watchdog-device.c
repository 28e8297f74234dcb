/*
 * A watchdog that resets nothing, for a program that is started with this library preloaded: the device WATCHDOG_PATH,
 * and a line in the file WATCHDOG_LOG for all that is done to it.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/watchdog.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static int device = -1;

static void say(const char *text) {
  int fd = (int)syscall(SYS_openat, AT_FDCWD, getenv("WATCHDOG_LOG"), O_WRONLY | O_APPEND | O_CREAT, 0600);
  dprintf(fd, "%s\n", text);
  close(fd);
}

int open(const char *path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  int mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, int) : 0;
  va_end(more);
  const char *wanted = getenv("WATCHDOG_PATH");
  if (!wanted || strcmp(path, wanted)) return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
  say("open");
  return device = (int)syscall(SYS_openat, AT_FDCWD, "/dev/null", O_WRONLY | O_CLOEXEC, 0);
}

int open64(const char *path, int flags, ...) __attribute__((alias("open")));

int ioctl(int fd, unsigned long request, ...) {
  va_list more;
  va_start(more, request);
  void *argument = va_arg(more, void *);
  va_end(more);
  if (fd < 0 || fd != device) return (int)syscall(SYS_ioctl, fd, request, argument);
  char text[32];
  switch (request) {
    case WDIOC_SETTIMEOUT:
      snprintf(text, sizeof text, "time-out %d", *(int *)argument);
      say(text);
      break;
    case WDIOC_KEEPALIVE:
      say("feed");
      break;
  }
  return 0;
}

ssize_t write(int fd, const void *bytes, size_t length) {
  if (fd >= 0 && fd == device) say(memchr(bytes, 'V', length) ? "disarm" : "feed");
  return syscall(SYS_write, fd, bytes, length);
}
