/*
 * How evenly does a node's heart beat? `gaps` reads heartbeats as they come in at a port of a switch, with the time at
 * which the kernel saw them, so that this program's own waiting is no part of it.
 */
#include "common.h"

#include <net/ethernet.h>
#include <netpacket/packet.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define HEARTBEAT 0x88b5

void gaps(const char *nic) {
  double first_ms = 0, last_ms = 0, gap_ms = 0;
  unsigned long beats = 0;
  int on = 1, fd = packet_socket(nic, ETH_P_ALL, 1);
  struct pollfd polled[] = {{fd, POLLIN, 0}, {0, POLLIN, 0}};
  if (setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on)) die("ask for times of arrival");
  for (;;) {
    poll(polled, 2, -1);
    uint8_t frame[2048], control[256];
    struct sockaddr_ll from;
    struct iovec piece = {frame, sizeof frame};
    for (;;) {
      struct msghdr message = {.msg_name = &from, .msg_namelen = sizeof from, .msg_iov = &piece, .msg_iovlen = 1,
                               .msg_control = control, .msg_controllen = sizeof control};
      if (recvmsg(fd, &message, MSG_DONTWAIT) < 0) break;
      /* A bridge takes frames from its ports before anybody sees them who wants one protocol only. */
      if ((frame[12] << 8 | frame[13]) != HEARTBEAT) continue;
      struct cmsghdr *header = CMSG_FIRSTHDR(&message);
      if (from.sll_pkttype == PACKET_OUTGOING || !header || header->cmsg_type != SCM_TIMESTAMPNS) continue;
      struct timespec time;
      memcpy(&time, CMSG_DATA(header), sizeof time);
      double at_ms = time.tv_sec * 1e3 + time.tv_nsec / 1e6;
      if (beats++ == 0) first_ms = at_ms;
      else if (at_ms - last_ms > gap_ms) gap_ms = at_ms - last_ms;
      last_ms = at_ms;
    }
    const char *said;
    while (polled[1].revents && (said = order())) {
      if (!strcmp(said, "mark")) {
        beats = 0;
        gap_ms = 0;
      } else if (!strcmp(said, "report")) {
        double mean_ms = beats > 1 ? (last_ms - first_ms) / (beats - 1) : 0;
        printf("{\"beats\":%lu,\"gap_ms\":%.3f,\"mean_ms\":%.3f}\n", beats, gap_ms, mean_ms);
        fflush(stdout);
      }
    }
  }
}
