/* peer.h - one participant: signalling, its transports, what it sends and what it receives.
 *
 * It connects, joins, makes a receiving transport (and a sending one, if it sends), and consumes all that it is offered, videos up
 * to `videos`. A peer owns its sources and sinks. It fails once, with a reason, and then does nothing more. Never freed from
 * within a handler. At most PEER_SINKS_MAX streams are received, what is offered beyond is not.
 */
#ifndef ALTHING_LOAD_PEER_H
#define ALTHING_LOAD_PEER_H

#include "load/describe.h"
#include "load/sink.h"
#include "load/signalling.h"
#include "load/source.h"

#define PEER_SINKS_MAX   512
#define PEER_SOURCES_MAX (1 + DESCRIBE_LAYERS)

struct peer;

/* What all peers of a run share; outlives them. */
struct peer_world {
    uv_loop_t *loop;
    struct target target;
    struct sockaddr_storage address;
    SSL_CTX *tls; /* NULL: none */
    const char *token;
    struct sockets *sockets;
    struct timers *timers;
    struct dtls_cert *cert;
    struct measure *measure;
};

struct peer_config {
    const struct peer_world *world; /* borrowed */
    char room[TARGET_ROOM_MAX + 32];
    unsigned number; /* for its name */
    bool audio, video; /* what it sends */
    uint32_t audio_bitrate, video_bitrate, fps, packet_bytes;
    size_t layers; /* of video: 1, or simulcast up to DESCRIBE_LAYERS; each has four times the bits of the one below */
    unsigned videos; /* shown at once */
    bool congestion; /* tells the server what it could estimate bandwidth from */
};

enum peer_state { PEER_JOINING, PEER_UP, PEER_FAILED };

struct peer_sent {
    uint64_t packets, bytes, counted, counted_bytes, resent, key_frames, skipped_frames;
};

struct peer_received {
    uint64_t packets, bytes, counted, counted_bytes, lost, repaired, nacked;
};

void peer_new(struct peer **pp, const struct peer_config *conf);
void peer_free(struct peer *p); /* NULL is fine */
enum peer_state peer_state(const struct peer *p);
const char *peer_reason(const struct peer *p); /* of its failure */
void peer_leave(struct peer *p); /* says goodbye and sends no more; free it a little later */
void peer_count_anew(struct peer *p); /* what was counted so far is forgotten */

size_t peer_sinks(const struct peer *p, enum media media); /* streams it receives */
uint64_t peer_bad(const struct peer *p); /* datagrams that did not open, or are none */
void peer_sent(const struct peer *p, struct peer_sent out[static MEDIA_COUNT]);
void peer_received(const struct peer *p, struct peer_received out[static MEDIA_COUNT]);
/* For each stream received: the producer's id, what of it was counted and what its numbers miss; for each sent in one layer: how
 * much was counted. */
typedef void peer_stream_f(const char *producer_id, enum media media, uint64_t counted, uint64_t lost, void *arg);
void peer_each_sink(const struct peer *p, peer_stream_f *fn, void *arg);
void peer_each_producer(const struct peer *p, peer_stream_f *fn, void *arg);

#endif
