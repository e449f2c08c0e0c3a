/* harness.h - a real althing-worker under a hand that plays supervisor and server.
 *
 * harness_start() binds UDP and TCP sockets of IPv4 and IPv6 on the loopback interface, all of one port, and starts the program
 * that the environment names (ALTHING_WORKER). Requests are answered before they return; what the worker tells meanwhile is
 * counted.
 */
#ifndef ALTHING_TESTS_INTEROP_WORKER_HARNESS_H
#define ALTHING_TESTS_INTEROP_WORKER_HARNESS_H

#include "lib/chan.h"
#include "proto/counters.h"
#include "proto/worker.pb-c.h"

#include <sys/types.h>

#define HARNESS_TRANSPORTS 1024

struct harness {
    pid_t pid;
    int channel, life;
    uint16_t port;
    uint64_t next_id, epoch;
    struct counters_reader *reader;
    char fingerprint[128];    /* the worker's, sha-256 */
    Althing__ErrorCode error; /* of the last reply that had one */
    struct {
        uint64_t id;
        Althing__IceState ice;
        Althing__DtlsState dtls;
        char reason[32];
        char protocol[8];
    } transports[HARNESS_TRANSPORTS]; /* what was told of them */
    size_t n_transports;
};

void harness_start(struct harness *h);
/* Only the program: nothing was said yet. Returns its counters' descriptor, which is the caller's; whoever takes h->channel over
 * sets it to -1. */
int harness_spawn(struct harness *h);
/* Closes the life pipe, and the worker must end by itself, with exit code 0. */
void harness_stop(struct harness *h);

int harness_request(struct harness *h, Althing__Request *request); /* 0, or -1 with h->error */
void harness_events(struct harness *h,
                    unsigned ms); /* reads what comes; ms 0: only what is there */
uint64_t harness_counter(struct harness *h, size_t index); /* COUNTERS_INDEX(worker, name) */

/* The common ones; they must succeed. */
void harness_router(struct harness *h, uint64_t router);
void harness_transport(struct harness *h, uint64_t router, uint64_t transport, const char *ufrag,
                       const char *password);
void harness_connect(struct harness *h, uint64_t transport, Althing__DtlsRole remote_role,
                     const char *fingerprint);
size_t harness_place(struct harness *h, uint64_t transport); /* in h->transports */

#endif
