/*
 * An attacker's machine gun: frames as fast as the cable takes them, for a while.
 *   random     heartbeats of noise           wrong-key  our form, `cluster` id and a tag of noise
 *   runt       heartbeats cut short          arp        replies for `address` from the attacker
 *   stolen     wrong-key, from `mac`         arp-stolen ARP replies for `address` from `mac`
 */
#include "common.h"

#include <arpa/inet.h>
#include <net/ethernet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define FRAME_BYTES 124
#define BURST 64

void flood(const char *nic, const char *kind, const char *cluster, const char *mac, const char *address, int duration_ms) {
  static const uint8_t arp_fixed[] = {8, 6, 0, 1, 8, 0, 6, 4, 0, 2};
  int is_arp = !strncmp(kind, "arp", 3), out = packet_socket(nic, is_arp ? ETH_P_ARP : 0x88b5, 0);
  uint8_t source[6] = {2, 0, 0, 0xba, 0xd0, 2};
  if (strstr(kind, "stolen"))
    sscanf(mac, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", source, source + 1, source + 2, source + 3, source + 4, source + 5);
  uint32_t id = htonl((uint32_t)strtoul(cluster, NULL, 16));
  long sent = 0;
  srand(1);
  for (double end_ms = now_ms() + duration_ms; now_ms() < end_ms;) {
    for (int i = 0; i < BURST; i++) {
      uint8_t frame[FRAME_BYTES];
      size_t length = is_arp ? 42 : FRAME_BYTES;
      for (size_t at = 0; at < length; at++) frame[at] = rand();
      memset(frame, 0xff, 6);
      memcpy(frame + 6, source, 6);
      frame[12] = 0x88, frame[13] = 0xb5;
      frame[15] = 1, frame[16] = 1; /* version and type: a heartbeat */
      if (is_arp) {
        memcpy(frame + 12, arp_fixed, sizeof arp_fixed);
        memcpy(frame + 22, source, 6);
        inet_pton(AF_INET, address, frame + 28);
        inet_pton(AF_INET, address, frame + 38);
      } else if (strcmp(kind, "random")) {
        memcpy(frame + 18, &id, 4);
        memcpy(frame + 26, source, 6);
        frame[14] = 1, frame[22] = 3;
      }
      if (!strcmp(kind, "runt")) length = 14 + rand() % (FRAME_BYTES - 14);
      if (send(out, frame, length, 0) > 0) sent++;
    }
  }
  printf("{\"sent\":%ld}\n", sent);
  exit(0);
}
