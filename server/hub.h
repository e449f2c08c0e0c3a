/* hub.h - binds rooms, workers and browsers together; what the on_*.c files share. It decides nothing itself.
 *
 * The hub owns the rooms; it borrows the media (which it is given after both exist) and the sessions of the edge, whose user is
 * their peer. One loop, one thread. A peer without a session is one whose connection was lost: what is told to it is dropped, and
 * it goes when its grace is over.
 */
#ifndef ALTHING_SERVER_HUB_H
#define ALTHING_SERVER_HUB_H

#include "lib/log.h"
#include "proto/histogram.h"
#include "server/edge/bucket.h"
#include "server/edge/edge.h"
#include "server/media/media.h"
#include "server/media/pipes.h"
#include "server/media/spread.h"
#include "server/room/objects.h"
#include "server/room/room.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct hub_settings {
    unsigned peers_per_room;       /* maxUsersPerRoom: the lobby counts; 0: ROOM_PEERS_MAX */
    unsigned max_active_videos;    /* told to clients */
    uint32_t default_perms;        /* of everybody but the first: bit p, enum perm p */
    bool locked;                   /* new rooms are locked; the first peer is let in */
    bool chat, files, raise_hand, reactions, recording, breakouts; /* told to clients, and refused when false */
    bool p2p;                      /* two peers may connect directly */
    uint32_t max_incoming_bitrate; /* of one transport, bits a second; 0: no limit */
    uint32_t initial_outgoing_bitrate, min_outgoing_bitrate, max_outgoing_bitrate; /* 0: the worker's own */
    int64_t max_file_size;         /* told to clients; 0: not told */
    const char *tracker;           /* of the file sharing; NULL: none */
    const json_t *ice_servers;     /* array for browsers; NULL: none */
    const json_t *room_settings;   /* roomReady.settings; NULL: {} */
};

/* No new rooms; at the deadline those that are left end (on_drain.c). */
struct hub_drain {
    bool on;
    int64_t deadline_ms; /* since 1970 */
    int64_t deadline_us;
};

/* How long people waited: HISTOGRAM_ROWS of histogram_connect each. */
struct hub_stats {
    uint64_t connect[HISTOGRAM_ROWS]; /* from the request to connect a transport until its DTLS is connected */
    uint64_t join[HISTOGRAM_ROWS];    /* until the first one is, once a peer */
};

struct hub {
    struct rooms rooms;
    struct media *media;
    const struct edge *edge; /* NULL until there is one: for who looks at its counters */
    bool ending;             /* nobody should come to us any more */
    struct hub_stats stats;
    struct hub_settings settings; /* what it points to outlives the hub */
    json_t *router_caps;          /* the same for every router */
    int64_t next_sweep_us;        /* of what is looked at once a second */
    struct bucket pictures;       /* bytes of them that may be handed out */
    struct log_limit refusals;    /* of hub_refused() */
    struct hub_drain drain;
};

/* `router_caps` is stolen. */
void hub_init(struct hub *h, const struct hub_settings *settings, json_t *router_caps);
void hub_free(struct hub *h); /* its members; sessions are told nothing. The media may be freed before or after */
void hub_edge_handlers(struct edge_handlers *out);   /* their arg is the hub */
void hub_media_handlers(struct media_handlers *out); /* likewise; worker_bad is left for main.c */
void hub_tick(struct hub *h, int64_t now_us);        /* a few times a second */
/* A line about an object that a peer cannot have; at most ten a second, since browsers can cause them at will. */
void hub_refused(struct hub *h, const struct peer *p, const char *what, const char *why);

static inline struct edge_session *hub_session(const struct peer *p)
{
    return p->session;
}

/* ---- telling browsers: `data` is stolen, NULL is {} ---- */

void hub_notify(const struct peer *p, const char *method, json_t *data);
/* All joined peers of the room but `except` (NULL: nobody is left out). */
void hub_broadcast(const struct room *r, const struct peer *except, const char *method, json_t *data);
/* Those of them that are in this session. */
void hub_broadcast_session(const struct room *r, const struct room_session *in, const struct peer *except, const char *method,
                           json_t *data);
/* All peers in the room (not the lobby) that have the permission. */
void hub_notify_holders(const struct room *r, enum perm perm, const char *method, json_t *data);

/* ---- a reply that waits for a worker ---- */

/* Survives the peer and its session: when the worker has answered, the peer is looked up again. */
struct hub_later {
    struct hub *hub;
    uint64_t room_serial, peer_serial, visit, ack;
    json_t *result; /* what to answer when all is well; owned */
};

struct hub_later *hub_later_new(struct hub *h, const struct peer *p, uint64_t ack, json_t *result);
void hub_later_reply(uint64_t handle, const char *err, void *later); /* a channel_reply_f: answers, frees */
/* Answers all requests that wait for an object. result is a template, borrowed; err NULL: done. */
void hub_answer_waiting(struct object *o, const json_t *result, const char *err);

#endif
