/* What the instruments share; see common.h. */
#define _GNU_SOURCE
#include "common.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

double now_ms(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1e3 + time.tv_nsec / 1e6;
}

void die(const char *what) {
  perror(what);
  exit(1);
}

int pace_ms = 1;

int at_pace(void) {
  int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
  long pace_ns = pace_ms * 1000000L;
  struct itimerspec interval = {{0, pace_ns}, {0, pace_ns}};
  if (fd < 0 || timerfd_settime(fd, 0, &interval, NULL)) die("timerfd");
  return fd;
}

int ticked(int timer) {
  uint64_t ticks;
  return read(timer, &ticks, sizeof ticks) == sizeof ticks;
}

const char *order(void) {
  static char line[512];
  static size_t length;
  for (;;) {
    char c;
    ssize_t got = read(0, &c, 1);
    if (got == 0) exit(0);
    if (got < 0) return NULL;
    if (c == '\n') {
      line[length] = 0;
      length = 0;
      return line;
    }
    if (length < sizeof line - 1) line[length++] = c;
  }
}

int index_of(const char *nic) {
  int index = if_nametoindex(nic);
  if (index == 0) die(nic);
  return index;
}

int packet_socket(const char *nic, int protocol, int promiscuous) {
  int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, 0), bytes = 4 << 20;
  struct sockaddr_ll link = {.sll_family = AF_PACKET, .sll_protocol = htons(protocol), .sll_ifindex = index_of(nic)};
  struct packet_mreq membership = {.mr_ifindex = link.sll_ifindex, .mr_type = PACKET_MR_PROMISC};
  if (fd < 0) die("packet socket");
  setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes);
  if (promiscuous && setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &membership, sizeof membership)) die("promiscuous");
  if (bind(fd, (struct sockaddr *)&link, sizeof link)) die("bind");
  return fd;
}

void mac_of(const char *nic, uint8_t mac[6]) {
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  struct ifreq about = {0};
  snprintf(about.ifr_name, sizeof about.ifr_name, "%s", nic);
  if (ioctl(fd, SIOCGIFHWADDR, &about)) die("SIOCGIFHWADDR");
  memcpy(mac, about.ifr_hwaddr.sa_data, 6);
  close(fd);
}

/* ── frames ── */

#define FRAMES_MAX (1u << 16)
#define SNAP_BYTES 96

static struct {
  double at_ms;
  uint16_t length, kept;
  uint8_t bytes[SNAP_BYTES];
} frames[FRAMES_MAX];
static uint64_t frames_seen;

void remember(const uint8_t *frame, size_t length, double at_ms) {
  size_t slot = frames_seen++ % FRAMES_MAX, kept = length < SNAP_BYTES ? length : SNAP_BYTES;
  frames[slot].at_ms = at_ms;
  frames[slot].length = length;
  frames[slot].kept = kept;
  memcpy(frames[slot].bytes, frame, kept);
}

void write_capture(const char *path) {
  static const uint32_t header[] = {0xa1b2c3d4, 0x00040002, 0, 0, SNAP_BYTES, 1};
  FILE *file = fopen(path, "wb");
  if (!file) die(path);
  fwrite(header, sizeof header, 1, file);
  for (uint64_t i = frames_seen > FRAMES_MAX ? frames_seen - FRAMES_MAX : 0; i < frames_seen; i++) {
    size_t slot = i % FRAMES_MAX;
    uint64_t micros = frames[slot].at_ms * 1e3;
    uint32_t record[] = {micros / 1000000, micros % 1000000, frames[slot].kept, frames[slot].length};
    fwrite(record, sizeof record, 1, file);
    fwrite(frames[slot].bytes, frames[slot].kept, 1, file);
  }
  fclose(file);
}

/* ── the book ── */

void book_clear(struct book *book) {
  memset(book, 0, sizeof *book);
}

void book_enter(struct book *book, uint64_t question, const uint8_t mac[6]) {
  if (question >= QUESTIONS_MAX) return;
  int owner = 0;
  while (owner < book->known && memcmp(book->macs[owner], mac, 6)) owner++;
  if (owner == OWNERS_MAX) return;
  if (owner == book->known) memcpy(book->macs[book->known++], mac, 6);
  book->owners[question] |= 1 << owner;
}

#define RUNS_PRINTED_MAX 500

static void run_print(const struct book *book, int first, uint8_t owners, float from_ms, float to_ms, unsigned count) {
  const char *comma = "";
  printf("%s{\"macs\":[", first ? "" : ",");
  for (int i = 0; i < book->known; i++) {
    const uint8_t *m = book->macs[i];
    if (!(owners >> i & 1)) continue;
    printf("%s\"%02x:%02x:%02x:%02x:%02x:%02x\"", comma, m[0], m[1], m[2], m[3], m[4], m[5]);
    comma = ",";
  }
  printf("],\"from_ms\":%.2f,\"to_ms\":%.2f,\"count\":%u}", from_ms, to_ms, count);
}

void book_print(const struct book *book, const char *what, const float *asked_ms, uint64_t count) {
  uint64_t end = count < QUESTIONS_MAX ? count : QUESTIONS_MAX;
  unsigned in_run = 0, runs = 0;
  uint64_t first = 0, last = 0;
  printf("{\"what\":\"%s\",\"asked\":%lu,\"full\":%s,\"runs\":[", what, (unsigned long)count, count > end ? "true" : "false");
  for (uint64_t i = 0; i < end; i++) {
    uint8_t owners = book->owners[i];
    if (!owners) continue;
    if (in_run && owners != book->owners[first]) {
      if (runs < RUNS_PRINTED_MAX) run_print(book, runs == 0, book->owners[first], asked_ms[first], asked_ms[last], in_run);
      runs++;
      in_run = 0;
    }
    if (!in_run++) first = i;
    last = i;
  }
  if (in_run && runs < RUNS_PRINTED_MAX) run_print(book, runs == 0, book->owners[first], asked_ms[first], asked_ms[last], in_run);
  printf("]}");
}
