/*
 * The lab's instruments: small, exact and cheap enough to run beside two nodes on two cores.
 *
 *   instruments echo PORT                     UDP echo server
 *   instruments probe ADDRESS PORT            one numbered UDP probe a millisecond, and its answers
 *   instruments observe NIC ADDRESS           one ARP request a millisecond: who has ADDRESS?
 *   instruments announce NIC ADDRESS          one gratuitous ARP for an ADDRESS that is not ours
 *
 * probe and observe obey lines on standard input: `mark` begins a window, `report` prints what it
 * brought as one JSON line. They end with their standard input.
 *
 * probe's gap is the longest time between the sending of two probes that were answered one after
 * the other (or since the last one), so a steady path has a gap of 1 ms.
 * observe prints runs: which MAC answered, from when to when, how often, in order of arrival.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <netpacket/packet.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define RING 8192
#define RUNS_MAX 4096

static double now_ms(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1e3 + time.tv_nsec / 1e6;
}

static void die(const char *what) {
  perror(what);
  exit(1);
}

static int every_millisecond(void) {
  int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
  struct itimerspec interval = {{0, 1000000}, {0, 1000000}};
  timerfd_settime(fd, 0, &interval, NULL);
  return fd;
}

/* 'm' for mark, 'r' for report, 0 for nothing; ends the program with standard input. */
static int command(void) {
  static char line[64];
  static size_t length;
  for (;;) {
    char c;
    ssize_t got = read(0, &c, 1);
    if (got == 0) exit(0);
    if (got < 0) return 0;
    if (c == '\n') {
      int first = length ? line[0] : 0;
      length = 0;
      return first;
    }
    if (length < sizeof line) line[length++] = c;
  }
}

static void echo(int port) {
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  if (bind(fd, (struct sockaddr *)&address, sizeof address)) die("bind");
  for (;;) {
    char buffer[2048];
    struct sockaddr_in from;
    socklen_t length = sizeof from;
    ssize_t bytes = recvfrom(fd, buffer, sizeof buffer, 0, (struct sockaddr *)&from, &length);
    if (bytes > 0) sendto(fd, buffer, bytes, 0, (struct sockaddr *)&from, length);
  }
}

static void probe(const char *to, int port) {
  static double sent[RING];
  double last_answered = now_ms(), longest = 0, mark = last_answered;
  uint64_t next = 0, answered = 0, marked_next = 0;
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0), timer = every_millisecond();
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  inet_pton(AF_INET, to, &address.sin_addr);
  struct pollfd polled[] = {{timer, POLLIN, 0}, {fd, POLLIN, 0}, {0, POLLIN, 0}};
  for (;;) {
    poll(polled, 3, -1);
    uint64_t ticks, number;
    if (polled[0].revents && read(timer, &ticks, 8) == 8) {
      sent[next % RING] = now_ms();
      sendto(fd, &next, 8, MSG_DONTWAIT, (struct sockaddr *)&address, sizeof address);
      next++;
    }
    while (recv(fd, &number, 8, 0) == 8) {
      if (number >= next || next - number > RING) continue;
      double at = sent[number % RING];
      answered++;
      if (at <= last_answered) continue;
      if (at - last_answered > longest) longest = at - last_answered;
      last_answered = at;
    }
    int order;
    while (polled[2].revents && (order = command())) {
      double now = now_ms();
      if (order == 'm') {
        mark = now;
        longest = answered = 0;
        marked_next = next;
        if (last_answered < now - 2000) last_answered = now;
      } else if (order == 'r') {
        double open = now - last_answered;
        printf("{\"gap_ms\":%.3f,\"since_answer_ms\":%.3f,\"sent\":%lu,\"answered\":%lu,\"window_ms\":%.1f}\n", longest > open ? longest : open, open,
               (unsigned long)(next - marked_next), (unsigned long)answered, now - mark);
        fflush(stdout);
      }
    }
  }
}

struct run {
  uint8_t mac[6];
  double from, to;
  unsigned count;
};

static void observe(const char *nic, const char *asked) {
  static struct run runs[RUNS_MAX];
  int count = 0, timer = every_millisecond();
  int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, htons(ETH_P_ARP));
  struct ifreq about = {0};
  snprintf(about.ifr_name, sizeof about.ifr_name, "%s", nic);
  if (ioctl(fd, SIOCGIFHWADDR, &about)) die("SIOCGIFHWADDR");
  struct sockaddr_ll link = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ARP), .sll_ifindex = if_nametoindex(nic)};
  if (bind(fd, (struct sockaddr *)&link, sizeof link)) die("bind");
  uint8_t frame[42] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
  static const uint8_t fixed[] = {8, 6, 0, 1, 8, 0, 6, 4, 0, 1};
  memcpy(frame + 6, about.ifr_hwaddr.sa_data, 6);
  memcpy(frame + 12, fixed, sizeof fixed);
  memcpy(frame + 22, about.ifr_hwaddr.sa_data, 6); /* sender IP stays 0.0.0.0: a probe teaches nobody anything */
  inet_pton(AF_INET, asked, frame + 38);
  double mark = now_ms();
  unsigned sent = 0;
  struct pollfd polled[] = {{timer, POLLIN, 0}, {fd, POLLIN, 0}, {0, POLLIN, 0}};
  for (;;) {
    poll(polled, 3, -1);
    uint64_t ticks;
    if (polled[0].revents && read(timer, &ticks, 8) == 8 && send(fd, frame, sizeof frame, 0) > 0) sent++;
    uint8_t answer[128];
    while (recv(fd, answer, sizeof answer, 0) >= 42) {
      if (answer[21] != 2 || memcmp(answer + 28, frame + 38, 4)) continue;
      double at = now_ms() - mark;
      struct run *last = count ? &runs[count - 1] : NULL;
      if (!last || memcmp(last->mac, answer + 22, 6)) {
        if (count == RUNS_MAX) continue;
        last = &runs[count++];
        *last = (struct run){.from = at};
        memcpy(last->mac, answer + 22, 6);
      }
      last->to = at;
      last->count++;
    }
    int order;
    while (polled[2].revents && (order = command())) {
      if (order == 'm') {
        count = 0;
        sent = 0;
        mark = now_ms();
      } else if (order == 'r') {
        printf("{\"sent\":%u,\"runs\":[", sent);
        for (int i = 0; i < count; i++) {
          const uint8_t *m = runs[i].mac;
          printf("%s{\"mac\":\"%02x:%02x:%02x:%02x:%02x:%02x\",\"from_ms\":%.2f,\"to_ms\":%.2f,\"count\":%u}", i ? "," : "", m[0], m[1], m[2], m[3], m[4],
                 m[5], runs[i].from, runs[i].to, runs[i].count);
        }
        printf("]}\n");
        fflush(stdout);
      }
    }
  }
}

static void announce(const char *nic, const char *stolen) {
  static const uint8_t fixed[] = {8, 6, 0, 1, 8, 0, 6, 4, 0, 1};
  int fd = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ARP));
  struct sockaddr_ll link = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ARP), .sll_ifindex = if_nametoindex(nic)};
  uint8_t frame[42] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0xba, 0xd0, 1};
  memcpy(frame + 12, fixed, sizeof fixed);
  memcpy(frame + 22, frame + 6, 6);
  inet_pton(AF_INET, stolen, frame + 28);
  inet_pton(AF_INET, stolen, frame + 38);
  if (bind(fd, (struct sockaddr *)&link, sizeof link) || send(fd, frame, sizeof frame, 0) < 0) die("announce");
  exit(0);
}

int main(int count, char **words) {
  prctl(PR_SET_PDEATHSIG, 9);
  prctl(PR_SET_TIMERSLACK, 1UL);
  if (count == 3 && !strcmp(words[1], "echo")) echo(atoi(words[2]));
  if (count == 4) {
    /* Standard input is polled with the rest, so it must not block. */
    fcntl(0, F_SETFL, O_NONBLOCK);
    if (!strcmp(words[1], "probe")) probe(words[2], atoi(words[3]));
    if (!strcmp(words[1], "announce")) announce(words[2], words[3]);
    if (!strcmp(words[1], "observe")) observe(words[2], words[3]);
  }
  fprintf(stderr, "usage: instruments echo PORT | probe ADDRESS PORT | observe NIC ADDRESS | announce NIC ADDRESS\n");
  return 2;
}
