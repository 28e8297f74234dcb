/*
 * Who carries the traffic? `watch` reads the numbered probes (or their echoes) as they arrive and
 * books which node's MAC brought each: two nodes that forward in turn are two owners as well.
 */
#include "common.h"

#include <arpa/inet.h>
#include <net/ethernet.h>
#include <netpacket/packet.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define UDP_AT (14 + 20)
#define NUMBER_AT (UDP_AT + 8)

void watch(const char *nic, int port) {
  static struct book book;
  static float seen_ms[QUESTIONS_MAX];
  uint64_t base = 0, highest = 0;
  double mark_ms = now_ms();
  int started = 0, fd = packet_socket(nic, ETH_P_IP, 0);
  struct pollfd polled[] = {{fd, POLLIN, 0}, {0, POLLIN, 0}};
  for (;;) {
    poll(polled, 2, -1);
    uint8_t frame[2048];
    struct sockaddr_ll from;
    socklen_t from_length = sizeof from;
    ssize_t length;
    while ((length = recvfrom(fd, frame, sizeof frame, 0, (struct sockaddr *)&from, &from_length)) >= 14) {
      from_length = sizeof from;
      if (from.sll_pkttype == PACKET_OUTGOING || length < NUMBER_AT + 8 || frame[14] != 0x45 || frame[23] != 17) continue;
      if ((frame[UDP_AT] << 8 | frame[UDP_AT + 1]) != port && (frame[UDP_AT + 2] << 8 | frame[UDP_AT + 3]) != port) continue;
      uint64_t number;
      memcpy(&number, frame + NUMBER_AT, sizeof number);
      double at_ms = now_ms();
      remember(frame, length, at_ms);
      if (!started) base = highest = number;
      started = 1;
      if (number < base || number - base >= QUESTIONS_MAX) continue;
      if (number > highest) highest = number;
      if (!book.owners[number - base]) seen_ms[number - base] = at_ms - mark_ms;
      book_enter(&book, number - base, frame + 6);
    }
    const char *said;
    while (polled[1].revents && (said = order())) {
      if (!strcmp(said, "mark")) {
        mark_ms = now_ms();
        started = 0;
        book_clear(&book);
      } else if (!strncmp(said, "capture ", 8)) {
        write_capture(said + 8);
      } else if (!strcmp(said, "report")) {
        printf("{\"mark_ms\":%.3f,\"books\":[", mark_ms);
        book_print(&book, "traffic", seen_ms, started ? highest - base + 1 : 0);
        printf("]}\n");
        fflush(stdout);
      }
    }
  }
}
