/* What others may do on the network: claim an address that is not theirs, record frames and play them again. */
#include "common.h"

#include <arpa/inet.h>
#include <net/ethernet.h>
#include <netpacket/packet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define HEARTBEAT_TYPE 0x88b5
#define RECORD_MS 300
#define RECORDED_MAX 256
#define VARIANTS 4

/* One gratuitous ARP for `address` from a MAC that nobody has. */
void announce(const char *nic, const char *address) {
  static const uint8_t fixed[] = {8, 6, 0, 1, 8, 0, 6, 4, 0, 1};
  int fd = packet_socket(nic, ETH_P_ARP, 0);
  uint8_t frame[42] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0xba, 0xd0, 1};
  memcpy(frame + 12, fixed, sizeof fixed);
  memcpy(frame + 22, frame + 6, 6);
  inet_pton(AF_INET, address, frame + 28);
  inet_pton(AF_INET, address, frame + 38);
  if (send(fd, frame, sizeof frame, 0) < 0) die("announce");
  exit(0);
}

/*
 * Records the heartbeats that arrive on the switch's port `from`, then sends each of them out of
 * port `to`: as it was, with a bit turned over at random, cut short, and from and to itself.
 */
void replay(const char *from, const char *to) {
  static struct {
    uint8_t bytes[512];
    size_t length;
  } recorded[RECORDED_MAX];
  int in = packet_socket(from, HEARTBEAT_TYPE, 1), out = packet_socket(to, HEARTBEAT_TYPE, 0), count = 0, sent = 0;
  for (double end_ms = now_ms() + RECORD_MS; now_ms() < end_ms && count < RECORDED_MAX;) {
    struct pollfd polled = {in, POLLIN, 0};
    struct sockaddr_ll sender;
    socklen_t sender_length = sizeof sender;
    poll(&polled, 1, 10);
    ssize_t length = recvfrom(in, recorded[count].bytes, sizeof recorded[count].bytes, 0, (struct sockaddr *)&sender, &sender_length);
    if (length < 14 || sender.sll_pkttype == PACKET_OUTGOING) continue;
    recorded[count++].length = length;
  }
  srand(1);
  for (int i = 0; i < count; i++) {
    for (int variant = 0; variant < VARIANTS; variant++) {
      uint8_t frame[512];
      size_t length = recorded[i].length;
      memcpy(frame, recorded[i].bytes, length);
      if (variant == 1) frame[14 + rand() % (length - 14)] ^= 1 << rand() % 8;
      if (variant == 2) length = 14 + rand() % (length - 14);
      if (variant == 3) memcpy(frame + 6, recorded[i].bytes, 6);
      if (send(out, frame, length, 0) > 0) sent++;
    }
  }
  printf("{\"recorded\":%d,\"sent\":%d}\n", count, sent);
  exit(0);
}
