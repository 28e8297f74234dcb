/*
 * One program, several instruments. `every MS` in front of one makes it slower than once a millisecond.
 *
 *   instruments echo PORT                  UDP echo server
 *   instruments probe ADDRESS PORT         one numbered UDP probe a millisecond, and its echoes
 *   instruments observe NIC ADDRESS...     one question a millisecond: who has ADDRESS?
 *   instruments watch NIC PORT             who brings the probes?
 *   instruments gaps NIC                   how far apart heartbeats come in
 *   instruments announce NIC ADDRESS       one gratuitous ARP for an ADDRESS that is not ours
 *   instruments replay FROM TO             heartbeats from one port of a switch, again and spoilt, to another
 *   instruments flood NIC KIND CLUSTER MAC ADDRESS MS   forged frames at line rate (flood.c)
 *
 * probe, observe, watch and gaps obey lines on standard input: `mark` begins a window, `report` prints
 * what it brought as one JSON line, `capture PATH` writes the latest frames (observe and watch).
 * They end with their standard input.
 */
#include "common.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

/* A busy machine must not look like a silent node: those that measure run before ordinary processes, after the hearts. */
static void measure_in_time(void) {
  struct sched_param priority = {.sched_priority = 20};
  if (sched_setscheduler(0, SCHED_FIFO, &priority)) perror("instruments run without real-time priority");
}

int main(int count, char **words) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  prctl(PR_SET_TIMERSLACK, 1UL);
  if (count > 2 && !strcmp(words[1], "every")) {
    pace_ms = atoi(words[2]);
    if (pace_ms < 1 || pace_ms > 999) return 2;
    words += 2;
    count -= 2;
  }
  const char *instrument = count > 2 ? words[1] : "";
  if (count == 4 && !strcmp(instrument, "announce")) announce(words[2], words[3]);
  if (count == 4 && !strcmp(instrument, "replay")) replay(words[2], words[3]);
  if (count == 8 && !strcmp(instrument, "flood")) flood(words[2], words[3], words[4], words[5], words[6], atoi(words[7]));
  measure_in_time();
  if (count == 3 && !strcmp(instrument, "echo")) echo(atoi(words[2]));
  /* Standard input is polled with the rest, so it must not block. */
  fcntl(0, F_SETFL, O_NONBLOCK);
  if (count == 4 && !strcmp(instrument, "probe")) probe(words[2], atoi(words[3]));
  if (count == 4 && !strcmp(instrument, "watch")) watch(words[2], atoi(words[3]));
  if (count == 3 && !strcmp(instrument, "gaps")) gaps(words[2]);
  if (count >= 4 && !strcmp(instrument, "observe")) observe(words[2], words + 3, count - 3);
  fprintf(stderr, "usage: instruments echo PORT | probe ADDRESS PORT | observe NIC ADDRESS... | watch NIC PORT | gaps NIC | announce NIC ADDRESS | replay FROM TO\n");
  return 2;
}
