/* association.h - one SCTP association for data channels (RFC 8831), over a DTLS session (RFC 8261). Sans-I/O.
 *
 *     NEW -> CONNECTING -> CONNECTED -> FAILED (aborted, no acknowledgement, message too long) or CLOSED (shut down by the peer)
 *
 * Both sides connect at once, from port 5000 to port 5000 (RFC 8841); we begin at association_connect() or with the first packet,
 * and repeat until the peer is there. Packets go out through `send`, at most ASSOCIATION_MTU bytes, from within any call of here
 * and from stack_timer(). Every packet that comes in passes sctp_packet_check() first; what does not is dropped and counted.
 *
 * Streams (RFC 6525): when the peer resets one of its streams, we reset ours of the same number, which is how a data channel
 * closes (RFC 8831 6.7); but only one that is in use. It is from association_use(), or a message either way, to its reset, so two
 * sides that both behave like this come to an end. Resets that must wait for another one wait here.
 *
 * Bounds. Streams: conf.streams each way. A message: conf.max_message bytes; a longer one ends the association. What waits to be
 * sent: conf.send_buffer bytes and ASSOCIATION_CHUNKS chunks, then association_send() refuses with -EAGAIN. What was received
 * and is not whole: ASSOCIATION_RECEIVE_BUFFER bytes and ASSOCIATION_CHUNKS chunks; the peer is told how much is left, and what it
 * sends beyond that is dropped by the library. Whole messages are handed over at once.
 *
 * The symbols here do not begin with sctp_: the library exports such ones.
 */
#ifndef ALTHING_WORKER_SCTP_ASSOCIATION_H
#define ALTHING_WORKER_SCTP_ASSOCIATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ASSOCIATION_PORT            5000
#define ASSOCIATION_MTU             1180
#define ASSOCIATION_STREAMS_MAX     1024
#define ASSOCIATION_MESSAGE_MIN     1024
#define ASSOCIATION_MESSAGE_MAX     262144
#define ASSOCIATION_SEND_BUFFER_MAX 4194304
#define ASSOCIATION_RECEIVE_BUFFER  1048576
#define ASSOCIATION_CHUNKS          4096

struct association;

enum association_state {
    ASSOCIATION_NEW,
    ASSOCIATION_CONNECTING,
    ASSOCIATION_CONNECTED,
    ASSOCIATION_FAILED,
    ASSOCIATION_CLOSED,
};

enum association_reliability {
    ASSOCIATION_RELIABLE,
    ASSOCIATION_RETRANSMITS,
    ASSOCIATION_LIFETIME
};

struct association_message {
    uint16_t stream;
    uint32_t ppid;
    const uint8_t *data; /* lasts as long as the call */
    size_t len;          /* at least 1 */
    bool unordered;
    enum association_reliability reliability; /* of one that is sent */
    uint16_t parameter;                       /* retransmissions, or milliseconds */
};

/* None of them may free an association or feed it a packet; they may send. */
struct association_handlers {
    void (*send)(const uint8_t *packet, size_t len, void *arg);
    void (*state)(enum association_state from, enum association_state to, void *arg);
    void (*message)(const struct association_message *m, void *arg);
};

struct association_config {
    uint16_t streams;     /* 1..ASSOCIATION_STREAMS_MAX */
    uint32_t max_message; /* ASSOCIATION_MESSAGE_MIN..ASSOCIATION_MESSAGE_MAX */
    uint32_t send_buffer; /* max_message..ASSOCIATION_SEND_BUFFER_MAX */
};

/* Takes nothing of the library yet. 0 or -EINVAL. */
int association_new(struct association **ap, const struct association_config *conf,
                    const struct association_handlers *handlers, void *arg);
void association_free(struct association *a); /* sends nothing; NULL is fine */

int association_connect(
    struct association *a); /* 0 (again: nothing), or -errno: the library refused */
void association_input(struct association *a, const uint8_t *packet, size_t len);
/* 0; -ENOTCONN: not CONNECTED; -EINVAL: a stream that the peer does not have, or no byte; -EMSGSIZE; -EAGAIN: the buffer is full,
 * or the stream is being reset. */
int association_send(struct association *a, const struct association_message *m);
void association_use(struct association *a, uint16_t stream); /* a data channel is on it */
/* Our side of the stream, if it is in use, begins anew once what waits on it is sent. Not CONNECTED, or no such stream: nothing. */
void association_reset(struct association *a, uint16_t stream);

enum association_state association_state(const struct association *a);
uint64_t association_dropped(const struct association *a); /* packets that were not let in */

#endif
