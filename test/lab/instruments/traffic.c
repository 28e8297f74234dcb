/*
 * Traffic: an echo server, and a client that sends one numbered UDP probe a millisecond.
 *
 * A gap is the time between the sending of two probes that were answered one after the other (or
 * since the last one that was), so a steady path has gaps of 1 ms. `mark` begins a window; the gap
 * that is open at its beginning counts from the mark on. The longer gaps are also listed, in order.
 */
#include "common.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define RING 8192
/* Gaps from this length on are listed one by one. */
#define GAP_LISTED_MS 10
#define GAPS_MAX 1024

void echo(int port) {
  int fd = socket(AF_INET6, SOCK_DGRAM, 0);
  struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
  if (bind(fd, (struct sockaddr *)&address, sizeof address)) die("bind");
  for (;;) {
    char buffer[2048];
    struct sockaddr_in6 from;
    socklen_t length = sizeof from;
    ssize_t bytes = recvfrom(fd, buffer, sizeof buffer, 0, (struct sockaddr *)&from, &length);
    if (bytes > 0) sendto(fd, buffer, bytes, 0, (struct sockaddr *)&from, length);
  }
}

void probe(const char *to, int port) {
  static double sent_ms[RING];
  static struct {
    double from_ms, to_ms;
  } gaps[GAPS_MAX];
  int listed = 0;
  double mark_ms = now_ms(), last_answered_ms = mark_ms, longest_ms = 0, longest_from_ms = 0;
  uint64_t next = 0, answered = 0, marked_next = 0;
  int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 0), timer = at_pace();
  struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
  char mapped[64];
  snprintf(mapped, sizeof mapped, strchr(to, ':') ? "%s" : "::ffff:%s", to);
  if (inet_pton(AF_INET6, mapped, &address.sin6_addr) != 1) die(to);
  struct pollfd polled[] = {{timer, POLLIN, 0}, {fd, POLLIN, 0}, {0, POLLIN, 0}};
  for (;;) {
    uint64_t number;
    poll(polled, 3, -1);
    if (polled[0].revents && ticked(timer)) {
      sent_ms[next % RING] = now_ms();
      sendto(fd, &next, sizeof next, MSG_DONTWAIT, (struct sockaddr *)&address, sizeof address);
      next++;
    }
    while (recv(fd, &number, sizeof number, 0) == sizeof number) {
      if (number >= next || next - number > RING || number < marked_next) continue;
      double at_ms = sent_ms[number % RING];
      answered++;
      if (at_ms <= last_answered_ms) continue;
      if (at_ms - last_answered_ms >= GAP_LISTED_MS && listed < GAPS_MAX) {
        gaps[listed].from_ms = last_answered_ms - mark_ms;
        gaps[listed++].to_ms = at_ms - mark_ms;
      }
      if (at_ms - last_answered_ms > longest_ms) {
        longest_ms = at_ms - last_answered_ms;
        longest_from_ms = last_answered_ms;
      }
      last_answered_ms = at_ms;
    }
    const char *said;
    while (polled[2].revents && (said = order())) {
      double now = now_ms();
      if (!strcmp(said, "mark")) {
        mark_ms = last_answered_ms = now;
        longest_ms = longest_from_ms = answered = 0;
        listed = 0;
        marked_next = next;
      } else if (!strcmp(said, "report")) {
        double open_ms = now - last_answered_ms;
        int still_open = open_ms > longest_ms;
        printf("{\"gap_ms\":%.3f,\"gap_from_ms\":%.3f,\"since_answer_ms\":%.3f,\"sent\":%lu,\"answered\":%lu,\"window_ms\":%.1f,\"now_ms\":%.3f,\"gaps\":[",
               still_open ? open_ms : longest_ms, (still_open ? last_answered_ms : longest_from_ms) - mark_ms, open_ms,
               (unsigned long)(next - marked_next), (unsigned long)answered, now - mark_ms, now);
        for (int i = 0; i < listed; i++) {
          printf("%s{\"from_ms\":%.3f,\"to_ms\":%.3f}", i ? "," : "", gaps[i].from_ms, gaps[i].to_ms);
        }
        printf("]}\n");
        fflush(stdout);
      }
    }
  }
}
