/* room.h - the rooms: who is in which, and what it holds. State only: no I/O, no clock, no message.
 *
 * Owner tree: struct rooms owns rooms, a room its peers, a peer its transports, a transport its producers (send direction) or
 * consumers (receive direction). A consumer borrows its producer; freeing a producer frees its consumers. Every media object has
 * a handle, unique in the registry, by which a worker's events find it; ids are for browsers and are looked up in their peer
 * only, so that nobody can name the objects of somebody else, nor of another room.
 *
 * Everybody may read the fields. They are changed by the functions here, but for those marked (set): who sets one says so with
 * room_changed(), peer_changed() or object_changed(), unless it was said for the message that is being handled (change.h).
 */
#ifndef ALTHING_SERVER_ROOM_ROOM_H
#define ALTHING_SERVER_ROOM_ROOM_H

#include "server/room/change.h"
#include "server/room/countdown.h"
#include "server/room/drawing.h"
#include "server/room/limits.h"
#include "server/room/perm.h"
#include "server/room/session.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uthash.h>

struct rooms {
    struct room *by_id; /* in the order of their serials */
    struct room *by_serial;
    struct object *by_handle;
    struct data_producer *data_producers; /* by handle */
    struct data_consumer *data_consumers; /* by handle */
    size_t n_rooms, n_peers;
    uint64_t next_serial;
    uint64_t consumers_refused; /* (set) PEER_CONSUMERS_MAX */
    struct change_listener listener; /* hears of all that is in here */
    struct change_listener keeper;   /* (set) likewise */
};

/* What a peer that left may have again when it comes back. */
struct kept_perms {
    char key[PEER_ID_MAX + 1]; /* its reconnectKey */
    uint32_t perms;
    int64_t until_us; /* 0: an empty place */
};

struct room {
    struct change change;
    struct rooms *rooms;
    uint64_t serial; /* never used again */
    char *id;
    struct room_session main;
    struct room_session *breakouts; /* list, oldest first */
    size_t n_breakouts;
    bool locked;         /* (set) */
    struct peer *peers;  /* in order of arrival, lobby included */
    size_t n_peers;
    size_t picture_bytes; /* of all peers' pictures */
    int64_t pictures_free_us; /* see room_may_tell_picture() */
    struct countdown countdown;
    struct drawing drawing;
    struct kept_perms kept[KEPT_PERMS_MAX];
    void *spread;        /* (set) the room's routers, of server/media; NULL: none yet */
    UT_hash_handle hh, hh_serial;
};

enum peer_state {
    PEER_LOBBY,    /* waits until somebody promotes it; knows nothing of the room */
    PEER_ADMITTED, /* may create transports */
    PEER_JOINED,   /* said its name: others see it */
};

struct peer {
    struct change change;
    struct room *room;
    uint64_t serial;     /* never used again: names this peer beyond doubt */
    char *id;            /* chosen by the browser; unique in the room */
    char *reconnect_key;
    enum peer_state state;
    uint32_t perms;      /* (set) bit p: enum perm p */
    struct room_session *in; /* (set) never NULL: the room's main session, or a breakout of it */
    char *display_name;  /* "" until it said one */
    char *picture;       /* data URI or URL; NULL: none */
    bool picture_kept;   /* the keeper's: as it is now */
    bool raised_hand, recording, escape;        /* (set) */
    int64_t raised_hand_ms;                     /* (set) since 1970; 0: never */
    char reaction[REACTION_MAX + 1];            /* (set) "": none */
    int64_t reaction_ms;                        /* (set) */
    void *session;       /* (set) its connection; NULL: lost, and kept until leave_at_us */
    uint64_t visits;     /* (set) how often it has come: tells its connections apart */
    int64_t leave_at_us; /* (set) */
    int64_t joined_us;   /* (set) 0: not yet */
    bool connected;      /* (set) one of its transports was, after it had joined */
    void *capabilities;  /* (set) what it can receive; freed with capabilities_free */
    void (*capabilities_free)(void *);
    void *media;         /* (set) its router, of server/media; NULL: none is up */
    uint64_t awaited;    /* (set) the router that it had when the server died, and whose worker has not come yet; 0: none */
    struct transport *send, *recv; /* NULL: none */
    size_t n_producers;
    unsigned strikes;    /* see limits.h */
    int64_t strikes_at_us;
    char address[64], user_agent[256]; /* (set) for the operator */
    struct peer *prev, *next;
};

/* ---- rooms ---- */

void rooms_init(struct rooms *rs);
void rooms_free(struct rooms *rs); /* and all in it */
void rooms_listen(struct rooms *rs, const struct change_listener *l); /* of what is there too; NULL: nobody listens */
struct room *rooms_find(const struct rooms *rs, const char *id);
struct room *rooms_by_serial(const struct rooms *rs, uint64_t serial);
/* For walks with pauses in between: the first room whose serial is greater. NULL: none. */
struct room *rooms_after(const struct rooms *rs, uint64_t serial);
struct peer *room_peer_after(const struct room *r, uint64_t serial); /* likewise */
/* NULL: ROOMS_MAX. The id is copied and was checked (text_id). */
struct room *room_new(struct rooms *rs, const char *id, int64_t now_ms);
void room_free(struct room *r); /* its peers too; NULL is fine */
static inline void rooms_tell(struct rooms *rs, struct change *c)
{
    change_tell(&rs->listener, c);
    change_tell(&rs->keeper, c);
}

static inline void rooms_end(struct rooms *rs, struct change *c)
{
    change_end(&rs->listener, c);
    change_end(&rs->keeper, c);
}

void room_changed(struct room *r);

/* ---- peers ---- */

struct peer *room_peer(const struct room *r, const char *id);
struct peer *room_peer_by_serial(const struct room *r, uint64_t serial);
/* NULL: ROOM_PEERS_MAX. It starts in the lobby without permissions. */
struct peer *peer_new(struct room *r, const char *id, const char *reconnect_key);
void peer_free(struct peer *p); /* NULL is fine; the room stays, also when empty */
void peer_changed(struct peer *p); /* and its room, which counts its peers */
void peer_set_state(struct peer *p, enum peer_state state);
void peer_set_name(struct peer *p, const char *name);      /* checked */
/* checked; NULL or "": none. false: PICTURES_MAX_BYTES, nothing changed */
bool peer_set_picture(struct peer *p, const char *picture);
void peer_set_capabilities(struct peer *p, void *caps, void (*free_fn)(void *)); /* owns caps; NULL: none */
/* May a picture (or what else ROOM_PICTURES_PER_S is for) of so many bytes be told now? ROOM_PICTURES_PER_S; true: it counts. */
bool room_may_tell_picture(struct room *r, size_t len, int64_t now_us);
/* Counts a broken limit. true: that is enough, disconnect it. */
bool peer_strike(struct peer *p, int64_t now_us);
void peer_keep_perms(const struct peer *p, int64_t now_us);          /* it leaves */
bool peer_kept_perms(struct peer *p, int64_t now_us);                /* it is back: sets p->perms; false: nothing was kept */
/* How many peers are in the lobby. */
size_t room_lobby_count(const struct room *r);

#define ROOM_FOREACH_PEER(r, p) for (struct peer *p = (r)->peers; p; p = p->next)

#endif
