/* Netlink: subscriptions, and requests with their answers. */
#include "shim.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <pthread.h>
#include <semaphore.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define PROTOCOLS_MAX 32
#define ANSWERS_MAX 65536
#define ANSWER_MS_MAX 1000
#define ERRNO_END 4096 /* MAX_ERRNO of the kernel, and one */

static int netlink_sockets[PROTOCOLS_MAX] = {[0 ... PROTOCOLS_MAX - 1] = -1};

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

napi_value subscribe(napi_env env, napi_callback_info info) {
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

static void limit_answer_time(int fd) {
  struct timeval timeout = {.tv_sec = ANSWER_MS_MAX / 1000};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
}

static int request_socket(int protocol) {
  if (protocol < 0 || protocol >= PROTOCOLS_MAX) return errno = EPROTONOSUPPORT, -1;
  if (netlink_sockets[protocol] >= 0) return netlink_sockets[protocol];
  int fd = netlink_socket(protocol);
  if (fd < 0) return -1;
  limit_answer_time(fd);
  return netlink_sockets[protocol] = fd;
}

napi_value netlink_port(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  struct sockaddr_nl address;
  socklen_t length = sizeof address;
  int fd = request_socket(int_of(env, argument[0]));
  if (fd < 0 || getsockname(fd, (struct sockaddr *)&address, &length)) return fail(env, "netlink port", errno);
  return number(env, address.nl_pid);
}

/* Not the one that requests of this process use: its owner may pass it on. */
napi_value new_netlink_socket(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  int fd = netlink_socket(int_of(env, argument[0]));
  return fd < 0 ? fail(env, "open netlink", errno) : number(env, fd);
}

napi_value adopt_netlink_socket(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  int protocol = int_of(env, argument[0]), fd = int_of(env, argument[1]), is = 0;
  socklen_t size = sizeof is;
  if (getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &is, &size)) return fail(env, "adopt netlink", errno);
  if (protocol < 0 || protocol >= PROTOCOLS_MAX || is != protocol || netlink_sockets[protocol] >= 0) return fail(env, "adopt netlink", EINVAL);
  limit_answer_time(fd);
  netlink_sockets[protocol] = fd;
  return NULL;
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
static void drain(int fd, uint8_t *answers) {
  for (int i = 0; i < ANSWERS_MAX; i++)
    if (recv(fd, answers, SCRATCH_BYTES, MSG_DONTWAIT) < 0 && errno == EAGAIN) return;
}

/* As take_answers tells it: what the kernel answers is negative and small, anything else is no answer of it. */
static int refusal(int error) {
  return error < 0 && error > -ERRNO_END ? error : -EBADMSG;
}

/*
 * One datagram of answers, copied to `reply`. 1: that was the last; 0: there is more; otherwise the error, negative.
 * `bytes` has a sign, as NLMSG_NEXT takes the padding too, which the last message need not have.
 */
static int take_answers(const uint8_t *answers, ssize_t bytes, const struct sequences *asked, uint8_t *reply, size_t size, size_t *filled) {
  for (struct nlmsghdr *header = (struct nlmsghdr *)answers; NLMSG_OK(header, bytes); header = NLMSG_NEXT(header, bytes)) {
    if (header->nlmsg_seq - asked->first > asked->end - asked->first) continue; /* to an earlier request */
    if (header->nlmsg_type == NLMSG_ERROR) {
      if (header->nlmsg_len < NLMSG_LENGTH(sizeof(int))) return -EBADMSG;
      int error = ((struct nlmsgerr *)NLMSG_DATA(header))->error;
      if (error) return refusal(error);
      if (header->nlmsg_seq == asked->answered) return 1;
      continue;
    }
    if (header->nlmsg_type == NLMSG_DONE) {
      /* A list that the kernel had to break off says why here. */
      int error = header->nlmsg_len < NLMSG_LENGTH(sizeof error) ? 0 : *(int *)NLMSG_DATA(header);
      return error < 0 ? refusal(error) : 1;
    }
    size_t aligned = NLMSG_ALIGN(header->nlmsg_len);
    if (aligned > size - *filled) return -ENOBUFS;
    memcpy(reply + *filled, header, header->nlmsg_len);
    memset(reply + *filled + header->nlmsg_len, 0, aligned - header->nlmsg_len);
    *filled += aligned;
  }
  return 0;
}

/*
 * One datagram of requests and all their answers, which go to `reply`. 0, or errno; `operation` says what failed.
 * `answers` has SCRATCH_BYTES.
 */
static int exchange(int fd, const uint8_t *request, size_t length, uint8_t *answers, uint8_t *reply, size_t size, size_t *filled, const char **operation) {
  struct sequences asked = {0};
  *operation = "netlink request";
  if (!sequences_of(request, length, &asked)) return EINVAL;
  drain(fd, answers);
  struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
  if (sendto(fd, request, length, 0, (struct sockaddr *)&kernel, sizeof kernel) < 0) return errno;
  double asked_ms = now_ms();
  *operation = "netlink answer";
  for (int i = 0; i < ANSWERS_MAX; i++) {
    struct sockaddr_nl from = {0};
    socklen_t from_size = sizeof from;
    ssize_t bytes = recvfrom(fd, answers, SCRATCH_BYTES, MSG_TRUNC, (struct sockaddr *)&from, &from_size);
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes < 0) return errno == EAGAIN ? ETIMEDOUT : errno;
    if (from.nl_pid != 0) {
      /* Not from the kernel. Looked at only here, as after a freeze the kernel's answer is there, however late. */
      if (now_ms() - asked_ms > ANSWER_MS_MAX) return ETIMEDOUT;
      continue;
    }
    if ((size_t)bytes > SCRATCH_BYTES) return EMSGSIZE;
    int status = take_answers(answers, bytes, &asked, reply, size, filled);
    if (status < 0 && status != -ENOBUFS) *operation = "netlink request";
    if (status < 0) return -status;
    if (status > 0) return 0;
  }
  return ETIMEDOUT;
}

napi_value netlink_request(napi_env env, napi_callback_info info) {
  ARGUMENTS(3);
  uint8_t *request, *reply;
  size_t length, size, filled = 0;
  const char *operation;
  if (!bytes_of(env, argument[1], &request, &length) || !bytes_of(env, argument[2], &reply, &size)) return fail(env, "netlink request", EINVAL);
  int fd = request_socket(int_of(env, argument[0]));
  if (fd < 0) return fail(env, "open netlink", errno);
  int error = exchange(fd, request, length, scratch, reply, size, &filled, &operation);
  return error ? fail(env, operation, error) : number(env, filled);
}

/*
 * Requests that may wait for others in the kernel, on a thread of their own: who changes addresses waits for the lock of
 * all network configuration, which a driver that resets its card holds for as long as it likes. One at a time.
 */
static struct {
  int started, busy, fd, protocol;
  int done[2]; /* a pipe: the errno of what was asked */
  sem_t asked, idle;
  uint8_t request[SCRATCH_BYTES], answers[SCRATCH_BYTES];
  size_t length;
} background;

static void *work(void *nothing) {
  (void)nothing;
  /* Where the process has real-time priority, below those who wait for frames: this one keeps a processor busy in the kernel. */
  struct sched_param mine;
  int policy;
  if (!pthread_getschedparam(pthread_self(), &policy, &mine) && policy == SCHED_FIFO && mine.sched_priority > 1) {
    mine.sched_priority--;
    pthread_setschedparam(pthread_self(), policy, &mine);
  }
  for (;;) {
    while (sem_wait(&background.asked)) {}
    size_t filled = 0;
    const char *operation;
    uint8_t no_list[1];
    int32_t error = exchange(background.fd, background.request, background.length, background.answers, no_list, 0, &filled, &operation);
    if (write(background.done[1], &error, sizeof error) < 0) {} /* an empty pipe has room */
    sem_post(&background.idle);
  }
  return NULL;
}

static int start_background(int protocol) {
  if (background.started) return protocol == background.protocol ? 0 : EINVAL;
  if (pipe2(background.done, O_NONBLOCK | O_CLOEXEC)) return errno;
  int error = 0, index = new_handle(BACKGROUND, background.done[0], NULL);
  background.fd = index < 0 ? -1 : netlink_socket(protocol);
  if (index < 0) error = EMFILE;
  else if (background.fd < 0) error = errno;
  else {
    pthread_t thread;
    limit_answer_time(background.fd);
    sem_init(&background.asked, 0, 0);
    sem_init(&background.idle, 0, 0);
    background.protocol = protocol;
    error = pthread_create(&thread, NULL, work, NULL);
  }
  if (!error) return background.started = 1, 0;
  if (index >= 0) release(&handles[index]);
  if (background.fd >= 0) close(background.fd);
  for (int end = 0; end < 2; end++) close(background.done[end]);
  return error;
}

napi_value netlink_in_background(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  uint8_t *request;
  size_t length;
  struct sequences asked;
  if (!bytes_of(env, argument[1], &request, &length) || length > sizeof background.request) return fail(env, "netlink request", EINVAL);
  if (!sequences_of(request, length, &asked)) return fail(env, "netlink request", EINVAL);
  if (background.busy) return fail(env, "netlink request", EBUSY);
  int error = start_background(int_of(env, argument[0]));
  if (error) return fail(env, "open netlink", error);
  memcpy(background.request, request, length);
  background.length = length;
  background.busy = 1;
  sem_post(&background.asked);
  return NULL;
}

/* The next request may be given. */
void background_taken(void) {
  while (sem_wait(&background.idle)) {}
  background.busy = 0;
}

napi_value background_end(napi_env env, napi_callback_info info) {
  (void)env, (void)info;
  if (!background.busy) return NULL;
  while (sem_wait(&background.idle)) {}
  sem_post(&background.idle);
  return NULL;
}

napi_value background_port(napi_env env, napi_callback_info info) {
  (void)info;
  struct sockaddr_nl address = {0};
  socklen_t length = sizeof address;
  if (background.started && getsockname(background.fd, (struct sockaddr *)&address, &length)) return fail(env, "netlink port", errno);
  return number(env, address.nl_pid);
}
