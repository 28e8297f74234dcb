/*
 * Who owns an address? `observe` asks for each address once a millisecond, by ARP or by neighbour
 * solicitation, and books which MAC answered which question.
 *
 * Every question has a number, which goes into the MAC address it is asked from; so it comes back
 * in the answer's destination, nobody else's kernel on the network learns from the answer, and the
 * switch learns where to send it. ARP asks with sender 0.0.0.0 (RFC 5227), which teaches the asked
 * node nothing either; IPv6 asks from one of a few link-local addresses, because an answer to `::`
 * would go to everybody.
 */
#include "common.h"

#include <arpa/inet.h>
#include <net/ethernet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>

#define ADDRESSES_MAX 8
#define ARP_BYTES 42
#define SOLICITATION_BYTES 86
#define IPV6_NUMBERS 16
#define ICMP6 (14 + 40)

static const uint8_t NUMBERED_MAC[5] = {0x02, 0x0b, 0x5e, 0x00, 0x00};

struct question {
  const char *text;
  int is_ipv6;
  size_t length;
  uint8_t frame[SOLICITATION_BYTES];
  struct book book;
};

static void prepare_arp(struct question *question) {
  static const uint8_t fixed[] = {8, 6, 0, 1, 8, 0, 6, 4, 0, 1};
  memset(question->frame, 0xff, 6);
  memcpy(question->frame + 12, fixed, sizeof fixed);
  question->length = ARP_BYTES;
  if (inet_pton(AF_INET, question->text, question->frame + 38) != 1) die(question->text);
}

static void prepare_solicitation(struct question *question) {
  static const uint8_t ip[] = {0x86, 0xdd, 0x60, 0, 0, 0, 0, 32, 58, 255, 0xfe, 0x80};
  static const uint8_t group[] = {0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff};
  uint8_t *frame = question->frame;
  if (inet_pton(AF_INET6, question->text, frame + ICMP6 + 8) != 1) die(question->text);
  frame[0] = frame[1] = 0x33;
  frame[2] = 0xff;
  memcpy(frame + 3, frame + ICMP6 + 21, 3);
  memcpy(frame + 12, ip, sizeof ip);
  memcpy(frame + 38, group, sizeof group);
  memcpy(frame + 51, frame + ICMP6 + 21, 3);
  frame[ICMP6] = 135;
  frame[ICMP6 + 24] = 1; /* option: source link-layer address */
  frame[ICMP6 + 25] = 1;
  question->length = SOLICITATION_BYTES;
}

static void checksum(uint8_t *frame) {
  uint32_t sum = 32 + 58;
  frame[ICMP6 + 2] = frame[ICMP6 + 3] = 0;
  for (int at = 22; at < SOLICITATION_BYTES; at += 2) sum += frame[at] << 8 | frame[at + 1];
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  frame[ICMP6 + 2] = ~sum >> 8;
  frame[ICMP6 + 3] = ~sum;
}

static void number(struct question *question, uint64_t n) {
  uint8_t *frame = question->frame;
  memcpy(frame + 6, NUMBERED_MAC, 5);
  frame[10] = question->is_ipv6;
  frame[11] = question->is_ipv6 ? n % IPV6_NUMBERS : n;
  if (!question->is_ipv6) {
    memcpy(frame + 22, frame + 6, 6);
    return;
  }
  frame[36] = 0x5e; /* the link-local sender's last bytes */
  frame[37] = frame[11];
  memcpy(frame + ICMP6 + 26, frame + 6, 6);
  checksum(frame);
}

/* Does the frame answer this question? Then which one: the latest asked with the number it came back with. */
static int64_t answered(const struct question *question, const uint8_t *frame, size_t length, uint64_t next) {
  if (memcmp(frame, NUMBERED_MAC, 4) || frame[4] != question->is_ipv6) return -1;
  if (question->is_ipv6) {
    if (length < ICMP6 + 24 || frame[ICMP6] != 136 || memcmp(frame + ICMP6 + 8, question->frame + ICMP6 + 8, 16)) return -1;
  } else if (length < ARP_BYTES || frame[21] != 2 || memcmp(frame + 28, question->frame + 38, 4)) {
    return -1;
  }
  unsigned numbers = question->is_ipv6 ? IPV6_NUMBERS : 256;
  uint64_t back = (next - 1 - frame[5]) % numbers;
  return back < next ? (int64_t)(next - 1 - back) : -1;
}

void observe(const char *nic, char **addresses, int count) {
  static struct question questions[ADDRESSES_MAX];
  static float asked_ms[QUESTIONS_MAX];
  uint64_t next = 0, base = 0; /* questions are numbered for good, and booked from the mark on */
  double mark_ms = now_ms();
  int fd = packet_socket(nic, ETH_P_ALL, 1), timer = at_pace();
  if (count > ADDRESSES_MAX) count = ADDRESSES_MAX;
  for (int i = 0; i < count; i++) {
    questions[i].text = addresses[i];
    questions[i].is_ipv6 = strchr(addresses[i], ':') != NULL;
    if (questions[i].is_ipv6) prepare_solicitation(&questions[i]);
    else prepare_arp(&questions[i]);
  }
  struct pollfd polled[] = {{timer, POLLIN, 0}, {fd, POLLIN, 0}, {0, POLLIN, 0}};
  for (;;) {
    poll(polled, 3, -1);
    if (polled[0].revents && ticked(timer)) {
      if (next - base < QUESTIONS_MAX) asked_ms[next - base] = now_ms() - mark_ms;
      for (int i = 0; i < count; i++) {
        number(&questions[i], next);
        if (send(fd, questions[i].frame, questions[i].length, 0) < 0) perror("observe: send");
      }
      next++;
    }
    uint8_t frame[2048];
    ssize_t length;
    while ((length = recv(fd, frame, sizeof frame, 0)) >= 14) {
      remember(frame, length, now_ms());
      for (int i = 0; i < count; i++) {
        int64_t question = answered(&questions[i], frame, length, next);
        if (question >= (int64_t)base) book_enter(&questions[i].book, question - base, frame + 6);
      }
    }
    const char *said;
    while (polled[2].revents && (said = order())) {
      if (!strcmp(said, "mark")) {
        mark_ms = now_ms();
        base = next;
        for (int i = 0; i < count; i++) book_clear(&questions[i].book);
      } else if (!strncmp(said, "capture ", 8)) {
        write_capture(said + 8);
      } else if (!strcmp(said, "report")) {
        printf("{\"mark_ms\":%.3f,\"books\":[", mark_ms);
        for (int i = 0; i < count; i++) {
          if (i) printf(",");
          book_print(&questions[i].book, questions[i].text, asked_ms, next - base);
        }
        printf("]}\n");
        fflush(stdout);
      }
    }
  }
}
