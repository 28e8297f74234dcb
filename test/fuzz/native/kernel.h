/*
 * The kernel as the shim sees it while it is fuzzed. Answers of netlink, what a file says and which sources are
 * ready come out of the input; whatever would harm the machine that fuzzes (real-time priority, locked memory,
 * a watchdog, a netlink request, another program's files and signals) is answered here and done nowhere.
 * Sockets, and captures on the cables of the namespace, are real.
 */
#pragma once

#include "input.h"
#include "shim.h"

extern struct input kernel;     /* what the kernel has to say */
extern int frames_from_kernel;  /* captures give frames out of the input instead of real ones */

/* Handles that a target makes by itself: a source of frames and one of datagrams. */
int add_capture(int snap_bytes);
int add_subscription(void);
int add_input(void);
int pipe_end(int writing);
/* One that the shim watches. */
void raise_signal(void);

/* Once, before the first input: what the shim opens once and keeps. */
void start_kernel(void);
/* At the start of each input: the kernel has nothing to say yet. */
struct input begin_input(const uint8_t *data, size_t size);
/* Closes all handles, forgets all values, and looks for a file left open. */
void end_of_input(void);
/* Reads what wait wrote; ends the program where it is not records one after the other. */
void check_records(const uint8_t *out, size_t length);
