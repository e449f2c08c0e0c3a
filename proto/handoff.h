/* handoff.h - what the supervisor and the server say to each other, and how a started program finds its descriptors.
 *
 * The supervisor owns every listening socket and worker channel; it starts the programs with descriptors at fixed options:
 *
 *   althing-server --control=FD --config=FD --epoch=N --listen=ROLE:FD ...     ROLE: https, redirect, metrics, observer
 *   althing-worker --channel=FD --counters=FD --life=FD --udp=FD ... --tcp=FD ...
 *
 * config is a memfd of the whole configuration as JSON, checked and with every default filled in. counters is the worker's segment
 * (proto/counters.h). life is the read end of a pipe whose only writer is the supervisor: at its end the program ends. For the
 * server the control socket does the same.
 *
 * Over the control socket (SOCK_SEQPACKET, lib/chan.h) go struct handoff messages, one a frame. A worker's channel and its counter
 * segment travel with HANDOFF_WORKER_UP as two descriptors, in this order. The supervisor keeps a copy of both: a server that is
 * started again is given all workers that live.
 */
#ifndef ALTHING_PROTO_HANDOFF_H
#define ALTHING_PROTO_HANDOFF_H

#include <stdint.h>

#define HANDOFF_VERSION        1
#define HANDOFF_CANDIDATES_MAX 16

enum handoff_kind {
    HANDOFF_WORKER_UP = 1,   /* supervisor to server, with two descriptors */
    HANDOFF_WORKER_DOWN = 2, /* supervisor to server: the process ended */
    HANDOFF_READY = 3,       /* server to supervisor: everything answers */
    HANDOFF_WORKER_BAD = 4,  /* server to supervisor: this worker breaks the contract, end it and start another */
    HANDOFF_STOP = 5,        /* supervisor to server: stop in order */
    HANDOFF_RELOAD = 6,      /* server to supervisor: read the configuration again */
    /* supervisor to server, asked or not (SIGHUP), with descriptors: a report as JSON, {"changed": [key, ...], "restart": [...]},
     * and then the configuration, of which the server takes what it can; or {"error": "..."} alone. */
    HANDOFF_CONFIG = 7,
};

/* Where a browser reaches the worker: an ICE host candidate. */
struct handoff_candidate {
    char address[64]; /* announced: a literal or a host name */
    uint16_t port;
    uint8_t tcp;      /* 0: UDP */
    uint8_t reserved;
};

struct handoff {
    uint32_t version;    /* HANDOFF_VERSION */
    uint32_t kind;       /* enum handoff_kind */
    uint32_t index;      /* the worker's place, 0..n-1; it outlives the process */
    int32_t pid;         /* of the worker's process */
    uint64_t generation; /* grows with every start of a worker: names the process beyond doubt */
    uint32_t n_workers;  /* how many places there are */
    uint32_t n_candidates;
    struct handoff_candidate candidates[HANDOFF_CANDIDATES_MAX];
};

#endif
