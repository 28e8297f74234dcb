/*
 * The election and the lease as a model for spin: two nodes, their kernels, one way of heartbeats in each
 * direction, and an adversary who freezes, hangs, kills, restarts and loses. checks.ts says which switches
 * (-D) make which check; ARCHITECTURE.md says what follows. Every change of role goes through `become`, so
 * that transitions.ts can read the transitions out of this text and compare them with the code's.
 *
 * Time is counted in ticks: all clocks move together in `tick`, and between two ticks everything may happen
 * in any order, any number of times or not at all. A process that is stopped or starved is one that does not
 * step. All limits are whole ticks and inclusive, so whole ticks show whatever real time could show
 * (Henzinger, Manna, Pnueli: What good are digital clocks?, ICALP 1992).
 *
 * What is taken for granted: an ARP probe between two running machines arrives, and its answer, before the next
 * tick; the network card of a frozen machine keeps what arrives; a freeze lasts a tick at least; listen_ms is long, so
 * that a node that leaves listening unheard has not been spoken to for FLOOR. What is left out can only lead to more
 * runs here than in the code (a hand-over waits for no proof, announcements tell the peer nothing), or has no part in
 * claims: links and fitness, the challenge within a session, a detector more patient than its floor, strangers, and
 * the end of a cluster (`departed`, `erased`).
 */

/*
 * core/tuning.ts: heartbeats every INTERVAL, gone leases after LEASE, suspicion and evidence after FLOOR and WAIT
 * (detect_floor_ms), questions from ASK_AT on, the lease opened anew where REOPEN went by without a heartbeat. What
 * matters is their order; with SHIPPED they are the default's in ticks of 4 ms.
 */
#ifdef SHIPPED
#define INTERVAL 2
#define LEASE 5
#define FLOOR 6
#define ASK_AT 3
#define REOPEN 3
#else
#define INTERVAL 1
#define LEASE 2
#define FLOOR 3
#define ASK_AT 2
#define REOPEN 1
#endif
#ifndef WAIT
#define WAIT FLOOR
#endif
#ifndef GATE
#define GATE LEASE
#endif
/* Terms matter only relative to each other: `renumber` keeps them small. A run in which they part further is cut. */
#ifndef TERM_MAX
#define TERM_MAX 5
#endif
#ifndef FAULTS_MAX
#define FAULTS_MAX 1
#endif
/* From the last fault on, ticks until exactly one node must serve. */
#ifndef RESTORED
#define RESTORED 12
#endif
/* And two may serve for so long where the limits allow it: an interval, and a proof there and back at a step each tick. */
#ifndef OVERLAP_MAX
#define OVERLAP_MAX (INTERVAL + 3)
#endif
/* The shortest story is searched for breadth first, where spin wants nothing hidden. */
#ifdef SHORTEST
#define HIDDEN
#else
#define HIDDEN hidden
#endif

/* wire/heartbeat.ts WIRE_ROLES, and a process that is not there. */
#define LISTENING 0
#define BACKUP 1
#define PROBING 2
#define ACTIVE 3
#define RESUMING 4
#define OFF 5
/* In `become`, from any of them, and from any but the active one. */
#define ANY 6
#define INACTIVE 7

mtype = {
  started, created, died, stopped, listened, peer_active, silent, heard, consent, evidence, slept, acknowledged, unproved,
  yielded, handed_over, gate_broken, stopping, cut_off
};

/* core/conversation.ts: which session of the peer is believed. */
#define NOBODY 0
#define FORMER 1
#define PRESENT 2

typedef Node {
  /* The machine and its kernel (kernel/gate-rules.ts, kernel/addresses.ts). */
  bit frozen;
  bit holds;
  unsigned lease : 4;
  /* A heartbeat that was on its way out when the machine froze. */
  bit outgoing;
  /* The machine froze between the core's step and what it wanted done: heart/body.ts lets it be, and says that it is late. */
  bit late;

  /* core/election.ts */
  unsigned role : 3;
  unsigned term : 4;
  unsigned spent : 4;
  bit unwilling;

  /* Ticks since the last step, since the last heartbeat that was sent, since the last one that was heard. */
  unsigned idle : 4;
  unsigned unsent : 4;
  unsigned unheard : 4;
  bit was_heard;

  /* core/evidence.ts: ticks since the first unanswered probe, NEVER for none; a probe on its way, an answer in the buffer. */
  unsigned asked : 4;
  bit probe;
  bit answer;

  /* core/peer.ts: the newest heartbeat of the peer. */
  bit known;
  unsigned peer_role : 3;
  unsigned peer_term : 4;
  bit peer_wish;
  bit peer_unwilling;
  /* Ticks since the heartbeat of ours left that it acknowledges; FLOOR: too long ago, or before we slept. */
  unsigned proof : 4;

  /* core/conversation.ts */
  unsigned session : 2;
  bit candidate;
  /* Ticks since the newest heartbeat that was heard of the peer left the peer. */
  unsigned ack : 4;

  bit stepped
};

/* A heartbeat on its way, or in the socket buffer of a node that does not read. */
typedef Heartbeat {
  unsigned role : 3;
  unsigned term : 4;
  bit wish;
  bit unwilling;
  unsigned age : 4;
  unsigned proof : 4;
  bit of_former_session;
  bit echoes_session
};

/* One heartbeat; what comes while it waits is lost. `copies` of a path are left out (conversation.ts "copy"). */
typedef Inbox {
  bit there;
  Heartbeat h
};

Node N[2];
Inbox I[2];
/* From now on no faults, no loss, and every process that runs steps once a tick. */
bit calm;
/* Terms have parted further than TERM_MAX: the run ends here. */
bit cut_short;
#ifdef ISLANDS
bit islands;
#else
#define islands 0
#endif
unsigned calm_for : 6;
unsigned faults : 2;
unsigned overlap : 4;
/* Bit t: term t has been claimed. */
short claimed;

/* What lasts only within a step. */
HIDDEN byte hears, replies, opens, wishes, preferred, outranked, higher;

/* A step counts the time since the one before, of less than a lease. */
#define NEVER (WAIT + LEASE)
#define OURS(me, x) ((x) > 0 && ((x) & 1) == 1 - (me))
#define NEXT(me, x) ((x) + 1 + (((x) & 1) == 1 - (me)))
#define MAX(a, b) ((a) > (b) -> (a) : (b))
#define RUNS(i) (N[i].role != OFF && !N[i].frozen)
/* Answers for the shared addresses and forwards: what the guarantee is about. */
#define OWNER(i) (N[i].holds && N[i].lease > 0 && !N[i].frozen)

/* ── what must hold ───────────────────────────────────────────────────────────────────────────── */

inline check() {
  printf("   1: role %d term %d lease %d%c idle %d unheard %d asked %d | 2: role %d term %d lease %d%c idle %d unheard %d asked %d\n",
    N[0].role, N[0].term, N[0].lease, (N[0].frozen -> 'F' : ' '), N[0].idle, N[0].unheard, N[0].asked,
    N[1].role, N[1].term, N[1].lease, (N[1].frozen -> 'F' : ' '), N[1].idle, N[1].unheard, N[1].asked);
#ifndef LIMITS
  assert(!(OWNER(0) && OWNER(1) && !islands));
#endif
  renumber()
}

/* Everything compares terms, nothing counts them: two less for all changes nothing, and parity stays. */
inline renumber() {
  if
  :: N[0].term >= 3 && N[1].term >= 3 &&
     (!N[0].known || N[0].peer_term >= 3) && (!N[1].known || N[1].peer_term >= 3) &&
     (!I[0].there || I[0].h.term >= 3) && (!I[1].there || I[1].h.term >= 3) ->
     N[0].term = N[0].term - 2; N[1].term = N[1].term - 2;
     if :: N[0].known -> N[0].peer_term = N[0].peer_term - 2 :: else fi;
     if :: N[1].known -> N[1].peer_term = N[1].peer_term - 2 :: else fi;
     if :: I[0].there -> I[0].h.term = I[0].h.term - 2 :: else fi;
     if :: I[1].there -> I[1].h.term = I[1].h.term - 2 :: else fi;
     N[0].spent = (N[0].spent >= 2 -> N[0].spent - 2 : 0);
     N[1].spent = (N[1].spent >= 2 -> N[1].spent - 2 : 0);
     claimed = claimed >> 2
  :: else
  fi;
  /* Nobody claims below both terms, so what was claimed there is forgotten. */
  claimed = claimed & ~((1 << (N[0].term < N[1].term -> N[0].term : N[1].term)) - 1)
}

/* ── the core ─────────────────────────────────────────────────────────────────────────────────── */

inline become(me, from, to, cause) {
  printf("   node %d: %e\n", me + 1, cause);
  assert(from == ANY || (from == INACTIVE && N[me].role != ACTIVE) || N[me].role == from);
  N[me].role = to
}

/* Terms only rise. */
inline raise(me) {
  assert(higher >= N[me].term);
  N[me].term = higher;
  higher = 0
}

/* election.ts #woke: `#proof` moves, so nothing that was said before counts any more. */
inline distrust(me, you) {
  N[me].proof = FLOOR;
  N[you].ack = FLOOR;
  if :: I[you].there -> I[you].h.age = FLOOR :: else fi;
  if :: I[me].there -> I[me].h.proof = FLOOR :: else fi
}

inline claim(me, from, term_, cause) {
  if
  :: (term_) > TERM_MAX -> cut_short = 1
  :: else ->
     assert(OURS(me, (term_)));
#ifndef FORGETFUL
     assert((claimed & (1 << (term_))) == 0);
#endif
     claimed = claimed | (1 << (term_));
     higher = (term_); raise(me);
     N[me].spent = N[me].term;
     N[me].asked = NEVER;
     become(me, from, ACTIVE, cause);
     opens = 1; replies = 1
  fi
}

/* election.ts #stepDown */
inline stepDown(me, cause) {
  become(me, ACTIVE, BACKUP, cause);
  replies = 1
}

/* conversation.ts accept, peer.ts hear, election.ts #takeHeartbeat and #takeClaim */
#define BELIEVED(me) (I[me].h.of_former_session -> N[me].session == FORMER : N[me].session == PRESENT || I[me].h.echoes_session)
inline take(me) {
  if
  :: !I[me].there
  :: I[me].there && !(BELIEVED(me)) ->
     if :: !I[me].h.of_former_session -> N[me].candidate = 1 :: else fi;
     /* Before the first heartbeat the silence is only ours to decide when listening is over: see LISTENED. */
     if :: !N[me].known -> N[me].unheard = 0 :: else fi;
     /* election.ts #urgeProof */
     if :: N[me].role == ACTIVE && I[me].h.role == ACTIVE -> replies = 1 :: else fi
  :: I[me].there && BELIEVED(me) ->
     if :: !I[me].h.of_former_session -> N[me].session = PRESENT; N[me].candidate = 1 :: else fi;
     N[me].unheard = 0; N[me].asked = NEVER;
     N[me].known = 1;
     N[me].peer_role = I[me].h.role; N[me].peer_term = I[me].h.term;
     N[me].peer_wish = I[me].h.wish; N[me].peer_unwilling = I[me].h.unwilling;
     N[me].proof = I[me].h.proof; N[me].ack = I[me].h.age;
     if :: N[me].peer_role == RESUMING -> replies = 1 :: else fi;
     if
     :: N[me].peer_role == ACTIVE && N[me].role == ACTIVE && N[me].peer_term < N[me].term -> replies = 1
     :: N[me].peer_role == ACTIVE && !(N[me].role == ACTIVE && N[me].peer_term < N[me].term) ->
        outranked = 1;
        if
#ifndef NO_YIELD
        :: N[me].role == ACTIVE -> stepDown(me, yielded)
#endif
        :: N[me].role == LISTENING -> become(me, LISTENING, BACKUP, peer_active)
        :: N[me].role == RESUMING -> become(me, RESUMING, BACKUP, peer_active)
        :: else
        fi;
        higher = MAX(N[me].term, N[me].peer_term); raise(me)
     :: else
     fi
  fi;
  I[me].there = 0;
  I[me].h.role = 0; I[me].h.term = 0; I[me].h.wish = 0; I[me].h.unwilling = 0; I[me].h.age = 0; I[me].h.proof = 0;
  I[me].h.of_former_session = 0; I[me].h.echoes_session = 0
}

/* fitness.ts isPreferred; both have the same links here. */
#define NEWEST(me) MAX(N[me].term, N[me].peer_term)
#define PREFERRED(me) (N[me].peer_role == LISTENING -> 1 : (N[me].unwilling != N[me].peer_unwilling -> N[me].peer_unwilling : \
  (NEWEST(me) == 0 -> me == 0 : OURS(me, NEWEST(me)))))
/* election.ts #hasOwnWish, #agree, #hasConsent; peer.ts provedSince */
#define OWN_WISH(me) (OURS(me, N[me].term) && N[me].term > N[me].spent)
#define AGREES(me) (N[me].peer_wish && N[me].peer_term > N[me].term && !OURS(me, N[me].peer_term))
#ifdef STALE_CONSENT
#define PROVED(me) 1
#else
#define PROVED(me) (N[me].proof < FLOOR)
#endif
#define CONSENT(me) (!N[me].peer_wish && OURS(me, N[me].peer_term) && N[me].peer_term >= N[me].term && \
  N[me].peer_term > N[me].spent && PROVED(me))

/* election.ts #woke */
#define SLEPT(me) (N[me].idle >= LEASE || (N[me].role == ACTIVE && N[me].unsent >= FLOOR))
inline wake(me, you) {
  if
  :: SLEPT(me) ->
     distrust(me, you);
     N[me].asked = NEVER;
     if :: N[me].was_heard -> N[me].unheard = 0 :: else fi;
     if
#ifdef TRUSTS_SILENCE
     :: N[me].role == ACTIVE && !N[me].was_heard -> opens = 1
     :: N[me].role == ACTIVE && N[me].was_heard -> become(me, ACTIVE, RESUMING, slept); replies = 1
#else
     :: N[me].role == ACTIVE -> become(me, ACTIVE, RESUMING, slept); replies = 1
#endif
     :: else
     fi
  :: else ->
#ifndef GAPS_COUNT
     /* evidence.ts probes: what passed between two questions, more than a tick, does not count. */
     if
     :: N[me].idle > 1 && N[me].asked != NEVER ->
        N[me].asked = (N[me].asked >= N[me].idle - 1 -> N[me].asked - (N[me].idle - 1) : 0)
     :: else
     fi
#endif
  fi;
  N[me].idle = 0
}

inline agree(me) {
  higher = N[me].peer_term; raise(me);
  replies = 1
}

inline askForAddresses(me) {
  if :: N[me].asked == NEVER -> N[me].asked = 0 :: else fi;
  N[me].probe = !islands
}

/* election.ts #decideBackup and #seekEvidence */
inline decideBackup(me) {
  if
  :: hears ->
     if :: N[me].role == PROBING -> become(me, PROBING, BACKUP, heard) :: else fi;
     preferred = PREFERRED(me);
     if :: N[me].unheard >= ASK_AT && N[me].peer_role == ACTIVE -> askForAddresses(me) :: else fi;
     if
     :: N[me].peer_role == ACTIVE || N[me].peer_role == RESUMING
     :: else ->
        if
        :: AGREES(me) -> agree(me)
        :: !AGREES(me) && !N[me].unwilling && CONSENT(me) -> claim(me, BACKUP, N[me].peer_term, consent)
        :: !AGREES(me) && !N[me].unwilling && !CONSENT(me) && preferred &&
           (!OWN_WISH(me) || N[me].peer_term > N[me].term) ->
           if
           :: NEXT(me, NEWEST(me)) > TERM_MAX -> cut_short = 1
           :: else -> higher = NEXT(me, NEWEST(me)); raise(me); replies = 1
           fi
        :: else
        fi
     fi
  :: !hears && N[me].unwilling
  :: !hears && !N[me].unwilling ->
     askForAddresses(me);
     if :: N[me].role == BACKUP -> become(me, BACKUP, PROBING, silent) :: else fi;
#ifdef NO_PROBE
     claim(me, PROBING, NEXT(me, N[me].term), evidence)
#else
     if :: N[me].asked >= WAIT -> claim(me, PROBING, NEXT(me, N[me].term), evidence) :: else fi
#endif
  fi
}

/* election.ts #decideResuming */
inline decideResuming(me) {
  if
  :: hears && PROVED(me) && N[me].peer_role != ACTIVE && N[me].peer_term <= N[me].term && !N[me].peer_wish ->
     become(me, RESUMING, ACTIVE, acknowledged); opens = 1
  :: hears && PROVED(me) && (N[me].peer_role == ACTIVE || N[me].peer_term > N[me].term || N[me].peer_wish) ->
     become(me, RESUMING, BACKUP, unproved); decideBackup(me)
  :: !hears -> become(me, RESUMING, BACKUP, unproved); decideBackup(me)
  :: else
  fi
}

/*
 * A heartbeat leaves, and the kernel's egress rule renews a live lease, and only a live one, if it says "active"
 * (gate-rules.ts "an active heartbeat renews a live lease"). Where the peer cannot take it, it is lost.
 */
inline send(me, you, is_lost) {
#ifdef REVIVING_HEARTBEAT
  if :: N[me].role == ACTIVE -> N[me].lease = GATE :: else fi;
#else
  if :: N[me].role == ACTIVE && N[me].lease > 0 -> N[me].lease = GATE :: else fi;
#endif
  if
  :: is_lost || islands || N[you].role == OFF || I[you].there
  :: else ->
     I[you].there = 1;
     I[you].h.role = N[me].role; I[you].h.term = N[me].term; I[you].h.wish = wishes; I[you].h.unwilling = N[me].unwilling;
     I[you].h.age = 0;
     I[you].h.proof = (N[me].session == PRESENT -> N[me].ack : FLOOR);
     I[you].h.of_former_session = 0;
     I[you].h.echoes_session = N[me].session == PRESENT || (N[me].session == NOBODY && N[me].candidate)
  fi
}

/* election.ts #speak and #wishes, then heart/body.ts apply in its order: shut first, open, then the frames. */
inline speakAndApply(me, you, is_lost) {
  wishes = (N[me].role == BACKUP || N[me].role == PROBING) && N[me].known && N[me].peer_role != ACTIVE &&
    OWN_WISH(me) && !N[me].unwilling && PREFERRED(me);
  if :: N[me].unsent >= INTERVAL -> replies = 1 :: else fi;
  if :: replies && N[me].unsent >= REOPEN -> opens = 1 :: else fi;
  if
  :: N[me].role != ACTIVE -> N[me].holds = 0; N[me].lease = 0
  :: N[me].role == ACTIVE -> N[me].holds = 1; if :: opens -> N[me].lease = GATE :: else fi
  fi;
  if :: replies -> N[me].unsent = 0; send(me, you, is_lost) :: else fi
}

/* Orders that come with a step. */
#define NOTHING 0
#define LISTENING_ENDS 1
/* An operator's switch, a lost cable, the cluster network lost: all begin a hand-over. */
#define HAND_OVER 2
#define BREAK_GATE 3
/* A stop that nobody takes over from. */
#define STOP 4
/* The last data link is lost, which counts while the peer is not heard. */
#define CUT_OFF 5

inline step(me, you, is_lost, order) {
  printf("node %d steps, loses %d, order %d\n", me + 1, is_lost, order);
  wake(me, you);
  /* election.ts #takeLate */
  if
  :: N[me].late -> N[me].asked = NEVER; if :: N[me].role == ACTIVE -> opens = 1 :: else fi
  :: else
  fi;
  N[me].late = 0;
  take(me);
  if :: N[me].answer -> N[me].answer = 0; N[me].asked = NEVER :: else fi;
  hears = N[me].known && N[me].unheard < FLOOR;
  if
  :: N[me].role == LISTENING ->
     if :: hears && AGREES(me) -> agree(me) :: else fi;
     if :: order == LISTENING_ENDS -> become(me, LISTENING, BACKUP, listened) :: else fi
  :: N[me].role == BACKUP || N[me].role == PROBING -> decideBackup(me)
  :: N[me].role == ACTIVE ->
     if
     /* The proof that a hand-over waits for is left out: it may happen too often, never too rarely. */
     :: order == HAND_OVER && hears && N[me].peer_role != ACTIVE && !N[me].peer_unwilling ->
        if
        :: NEXT(you, NEWEST(me)) > TERM_MAX -> cut_short = 1
        :: else -> stepDown(me, handed_over); higher = NEXT(you, NEWEST(me)); raise(me)
        fi
     :: order == BREAK_GATE -> stepDown(me, gate_broken); N[me].unwilling = 1
     :: order == STOP -> stepDown(me, stopping); N[me].unwilling = 1
     :: order == CUT_OFF && !hears -> stepDown(me, cut_off)
     :: else
     fi
  :: N[me].role == RESUMING -> decideResuming(me)
  :: else
  fi;
  N[me].was_heard = hears;
  speakAndApply(me, you, is_lost);
  assert(!(outranked && N[me].role == ACTIVE));
  N[me].stepped = 1;
  hears = 0; replies = 0; opens = 0; wishes = 0; preferred = 0; outranked = 0;
  check()
}

/* ── the world ────────────────────────────────────────────────────────────────────────────────── */

inline forgetAll(me) {
  N[me].outgoing = 0; N[me].late = 0; N[me].unwilling = 0; N[me].idle = 0; N[me].unsent = FLOOR; N[me].unheard = 0; N[me].was_heard = 0;
  N[me].asked = NEVER; N[me].probe = 0; N[me].answer = 0;
  N[me].known = 0; N[me].peer_role = 0; N[me].peer_term = 0; N[me].peer_wish = 0; N[me].peer_unwilling = 0; N[me].proof = FLOOR;
  N[me].session = NOBODY; N[me].candidate = 0; N[me].ack = FLOOR; N[me].stepped = 0;
  I[me].there = 0;
  I[me].h.role = 0; I[me].h.term = 0; I[me].h.wish = 0; I[me].h.unwilling = 0; I[me].h.age = 0; I[me].h.proof = 0;
  I[me].h.of_former_session = 0; I[me].h.echoes_session = 0
}

/* The process is gone; its kernel goes on with what it has. */
inline kill(me) {
  printf("node %d is killed\n", me + 1);
  faults++;
  forgetAll(me);
  become(me, ANY, OFF, died);
  check()
}

/* An orderly end: the gate was shut as the role was left. */
inline stop(me) {
  printf("node %d stops\n", me + 1);
  forgetAll(me);
  become(me, INACTIVE, OFF, stopped);
  check()
}

/* heart/body.ts configure: the gate is shut, then the node listens. A new session: what was said to the old one is void. */
inline start(me, you) {
  N[me].spent = N[me].term;
  N[me].holds = 0; N[me].lease = 0;
  become(me, OFF, LISTENING, started);
  distrust(me, you);
  if :: N[you].session == PRESENT -> N[you].session = FORMER :: else fi;
  N[you].candidate = 0;
  if :: I[you].there -> I[you].h.of_former_session = 1 :: else fi;
  if :: I[me].there -> I[me].h.echoes_session = 0 :: else fi;
  check()
}

inline freeze(me) {
  printf("node %d freezes\n", me + 1);
  faults++;
  N[me].frozen = 1;
  /* Until the next tick: a freeze lasts at least one. */
  N[me].stepped = 1;
  check()
}

inline thaw(me, you) {
  printf("node %d thaws\n", me + 1);
  N[me].frozen = 0;
  if :: N[me].outgoing -> send(me, you, 0); N[me].late = 1 :: else fi;
  N[me].outgoing = 0;
  check()
}

/* The probe reaches the peer's kernel, which answers while its gate is open. */
inline probeArrives(me, you) {
  N[me].probe = 0;
  if :: OWNER(you) -> N[me].answer = 1 :: else fi;
#ifndef BLIND_TO_PROBES
  /* RFC 5227 section 2.1.1: a probe for what we probe for ourselves. Node 1 goes first. */
  if :: me == 0 && N[you].role != OFF -> N[you].answer = 1 :: else fi
#endif
}

/* The network card of a frozen machine keeps what arrives. */
#define ARRIVES(me, you) (N[me].probe && !N[you].frozen)

#ifdef CLOCK_STILL
#define CLOCK(i) (!N[i].frozen)
#else
#define CLOCK(i) 1
#endif
inline pass(me, you) {
  if
  :: CLOCK(me) ->
     if :: N[me].lease > 0 -> N[me].lease = N[me].lease - 1 :: else fi;
     if
     :: N[me].role != OFF ->
        if :: N[me].unsent < FLOOR -> N[me].unsent = N[me].unsent + 1 :: else fi;
        if :: N[me].idle < LEASE -> N[me].idle = N[me].idle + 1 :: else fi;
        if :: N[me].unheard < FLOOR -> N[me].unheard = N[me].unheard + 1 :: else fi;
        /* peer.ts provedSince: a silent peer proves nothing. */
        if :: N[me].unheard >= FLOOR -> N[me].proof = FLOOR :: else fi;
        if :: N[me].asked < NEVER - 1 -> N[me].asked = N[me].asked + 1 :: else fi;
        if :: N[me].proof < FLOOR -> N[me].proof = N[me].proof + 1 :: else fi;
        if :: N[you].ack < FLOOR -> N[you].ack = N[you].ack + 1 :: else fi;
        if :: I[you].there && I[you].h.age < FLOOR -> I[you].h.age = I[you].h.age + 1 :: else fi;
        if :: I[me].there && I[me].h.proof < FLOOR -> I[me].h.proof = I[me].h.proof + 1 :: else fi
     :: else
     fi
  :: else
  fi;
  N[me].stepped = 0
}

/* Both run, have heard each other within an interval, and agree on who is active. */
#define SOUND(i, j) (RUNS(i) && RUNS(j) && OWNER(i) && N[j].role == BACKUP && N[i].unheard <= INTERVAL && N[j].unheard <= INTERVAL && \
  N[i].known && N[j].known && N[j].peer_role == ACTIVE && N[j].peer_term == N[i].term)

inline tick() {
  printf("a tick\n");
  if
  :: calm && calm_for < RESTORED -> calm_for++
  :: calm && calm_for == RESTORED -> assert(OWNER(0) + OWNER(1) == 1)
  :: else
  fi;
#ifdef LIMITS
  if
  :: calm && OWNER(0) && OWNER(1) -> overlap++; assert(overlap <= OVERLAP_MAX)
  :: else -> overlap = 0
  fi;
#endif
  if :: SOUND(0, 1) || SOUND(1, 0) -> faults = 0 :: else fi;
  pass(0, 1); pass(1, 0);
  check()
}

/* listen_ms is far longer than anything here: who leaves it unheard has not been spoken to for a long time. */
#define LISTENED(i) (N[i].role == LISTENING && (N[i].known || (N[i].unheard >= FLOOR && !I[i].there)))
#define MAY_STEP(i) (RUNS(i) && (!calm || !N[i].stepped))
#define FAULTS (!calm && !cut_short)
/* A freeze, a kill: so many until the pair has recovered from them. */
#define FAULT (FAULTS && faults < FAULTS_MAX)
/* One thing at a time, unless TOGETHER: while one node is frozen or hangs, the other one steps at least once a tick. */
#define PROMPT(i) (N[i].role == OFF || (RUNS(i) && N[i].stepped))
#if defined(STEADY)
/* Nobody hangs. */
#define TIME_PASSES ((calm && !MAY_STEP(0) && !MAY_STEP(1)) || (!calm && (N[0].frozen || PROMPT(0)) && (N[1].frozen || PROMPT(1))))
#elif defined(TOGETHER)
#define TIME_PASSES (!calm || (!MAY_STEP(0) && !MAY_STEP(1)))
#else
#define TIME_PASSES ((calm && !MAY_STEP(0) && !MAY_STEP(1)) || (!calm && (PROMPT(0) || PROMPT(1))))
#endif

#ifdef LTL
/* Progress under fair channels: once faults have an end, somebody serves again. */
ltl served { [] (calm -> <> (OWNER(0) || OWNER(1) || cut_short)) }
#endif

active proctype world() {
  d_step {
    N[0].role = OFF; N[1].role = OFF;
    forgetAll(0); forgetAll(1);
    /* The cluster has just been created on node 1; node 2 is away. */
    become(0, OFF, ACTIVE, created);
    N[0].unsent = 0; N[0].term = 1; N[0].spent = 1; N[0].holds = 1; N[0].lease = GATE;
    claimed = 2
  }
end:
  do
  :: d_step { !cut_short && MAY_STEP(0) && !(calm && LISTENED(0)) -> step(0, 1, 0, NOTHING) }
  :: d_step { !cut_short && MAY_STEP(1) && !(calm && LISTENED(1)) -> step(1, 0, 0, NOTHING) }
  :: d_step { !cut_short && MAY_STEP(0) && LISTENED(0) -> step(0, 1, 0, LISTENING_ENDS) }
  :: d_step { !cut_short && MAY_STEP(1) && LISTENED(1) -> step(1, 0, 0, LISTENING_ENDS) }
  :: d_step { FAULTS && RUNS(0) && N[0].role == ACTIVE -> step(0, 1, 0, HAND_OVER) }
  :: d_step { FAULTS && RUNS(1) && N[1].role == ACTIVE -> step(1, 0, 0, HAND_OVER) }
  :: d_step { !cut_short && ARRIVES(0, 1) -> probeArrives(0, 1) }
  :: d_step { !cut_short && ARRIVES(1, 0) -> probeArrives(1, 0) }
  :: d_step { !cut_short && !ARRIVES(0, 1) && !ARRIVES(1, 0) && TIME_PASSES -> tick() }
  :: d_step { FAULTS && N[0].role == OFF && !N[0].frozen -> start(0, 1) }
  :: d_step { FAULTS && N[1].role == OFF && !N[1].frozen -> start(1, 0) }
#ifdef LOSS
  :: d_step { FAULTS && RUNS(0) -> step(0, 1, 1, NOTHING) }
  :: d_step { FAULTS && RUNS(1) -> step(1, 0, 1, NOTHING) }
#endif
#ifdef FREEZE
  :: d_step { FAULT && RUNS(0) -> freeze(0) }
  :: d_step { FAULT && RUNS(1) -> freeze(1) }
  :: d_step { FAULT && RUNS(0) && N[0].role == ACTIVE && N[0].stepped -> N[0].outgoing = 1; freeze(0) }
  :: d_step { FAULT && RUNS(1) && N[1].role == ACTIVE && N[1].stepped -> N[1].outgoing = 1; freeze(1) }
  :: d_step { FAULT && RUNS(0) && N[0].role == ACTIVE && N[0].stepped && N[0].lease == GATE -> N[0].lease = 0; N[0].late = 1; freeze(0) }
  :: d_step { FAULT && RUNS(1) && N[1].role == ACTIVE && N[1].stepped && N[1].lease == GATE -> N[1].lease = 0; N[1].late = 1; freeze(1) }
  :: d_step { FAULTS && N[0].frozen && !N[0].stepped -> thaw(0, 1) }
  :: d_step { FAULTS && N[1].frozen && !N[1].stepped -> thaw(1, 0) }
#endif
#ifdef KILL
  :: d_step { FAULT && RUNS(0) -> kill(0) }
  :: d_step { FAULT && RUNS(1) -> kill(1) }
#endif
#ifdef ORDERS
  :: d_step { FAULT && RUNS(0) && N[0].role == ACTIVE -> faults++; step(0, 1, 0, BREAK_GATE) }
  :: d_step { FAULT && RUNS(1) && N[1].role == ACTIVE -> faults++; step(1, 0, 0, BREAK_GATE) }
  :: d_step { FAULT && RUNS(0) && N[0].role == ACTIVE -> faults++; step(0, 1, 0, STOP) }
  :: d_step { FAULT && RUNS(1) && N[1].role == ACTIVE -> faults++; step(1, 0, 0, STOP) }
  :: d_step { FAULT && RUNS(0) && N[0].role == ACTIVE -> faults++; step(0, 1, 0, CUT_OFF) }
  :: d_step { FAULT && RUNS(1) && N[1].role == ACTIVE -> faults++; step(1, 0, 0, CUT_OFF) }
  :: d_step { FAULTS && RUNS(0) && N[0].unwilling -> N[0].unwilling = 0 }
  :: d_step { FAULTS && RUNS(1) && N[1].unwilling -> N[1].unwilling = 0 }
  :: d_step { FAULTS && RUNS(0) && N[0].role != ACTIVE -> stop(0) }
  :: d_step { FAULTS && RUNS(1) && N[1].role != ACTIVE -> stop(1) }
#endif
#ifdef FORGETFUL
  :: d_step { FAULTS && N[0].role == OFF -> N[0].term = 0; N[0].spent = 0 }
  :: d_step { FAULTS && N[1].role == OFF -> N[1].term = 0; N[1].spent = 0 }
#endif
#ifdef ISLANDS
  :: d_step { FAULTS -> islands = !islands; check() }
#endif
#ifdef CALM
  :: d_step { FAULTS && (RUNS(0) || RUNS(1)) && !islands -> calm = 1 }
#endif
  od
}
