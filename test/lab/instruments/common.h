/*
 * The lab's instruments: small, exact and cheap enough to run beside two nodes on two cores.
 * What they share: a clock, lines of orders on standard input, a memory of the latest frames, and
 * the book in which observers enter who answered which numbered question.
 */
#ifndef INSTRUMENTS_COMMON_H
#define INSTRUMENTS_COMMON_H

#include <stddef.h>
#include <stdint.h>

/* Milliseconds of CLOCK_MONOTONIC, which every process of the machine shares. */
double now_ms(void);

/* Ends the program, naming the operation that failed and errno. */
void die(const char *what);

/* How far apart questions and probes are: a millisecond, unless the command line says otherwise. */
extern int pace_ms;

/* A timer at that pace. */
int at_pace(void);

/* Reads the timer; true when it is time again. */
int ticked(int timer);

/* The next whole line of standard input, or NULL; ends the program with standard input. */
const char *order(void);

/* A packet socket on one interface that sees every frame of `protocol`, its own MAC's or not. */
int packet_socket(const char *nic, int protocol, int promiscuous);
int index_of(const char *nic);
void mac_of(const char *nic, uint8_t mac[6]);

/* The latest frames, for the day a judge finds fault. `sent` tells ours from others'. */
void remember(const uint8_t *frame, size_t length, double at_ms);
void write_capture(const char *path);

/*
 * The book: for each numbered question, which MACs answered. Reported as runs: consecutive
 * questions, in the order in which they were asked, that were answered by the same MACs.
 */
#define QUESTIONS_MAX (1u << 18)
#define OWNERS_MAX 8

struct book {
  uint8_t owners[QUESTIONS_MAX]; /* a bit for each MAC that answered */
  uint8_t macs[OWNERS_MAX][6];
  int known;
};

void book_clear(struct book *book);
void book_enter(struct book *book, uint64_t question, const uint8_t mac[6]);

/* Prints the book as one JSON object; `asked_ms` has the time of each of `count` questions. */
void book_print(const struct book *book, const char *what, const float *asked_ms, uint64_t count);

/* The instruments: none of them returns. */
void echo(int port);
void probe(const char *address, int port);
void observe(const char *nic, char **addresses, int count);
void watch(const char *nic, int port);
void gaps(const char *nic);
void announce(const char *nic, const char *address);
void replay(const char *from, const char *to);
void flood(const char *nic, const char *kind, const char *cluster, const char *mac, const char *address, int duration_ms);

#endif
