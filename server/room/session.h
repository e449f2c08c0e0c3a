/* session.h - the sessions of a room: its main one, and its breakout rooms. Who is in one hears, sees and writes to those in the
 * same one; names, hands and the lock are the whole room's. State only.
 *
 * The room owns them (room.h): the main session is a part of it, breakouts are a list of at most BREAKOUTS_MAX. A peer is always in
 * exactly one.
 */
#ifndef ALTHING_SERVER_ROOM_SESSION_H
#define ALTHING_SERVER_ROOM_SESSION_H

#include "server/room/change.h"
#include "server/room/chat.h"
#include "server/room/limits.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct peer;
struct room;

struct room_session {
    struct change change;
    char id[37];        /* uuid */
    char *name;         /* "": the main session */
    int64_t created_ms; /* since 1970 */
    char creator[PEER_ID_MAX + 1]; /* the peer who made it; "": the main session */
    struct chat chat, files;
    struct room_session *prev, *next; /* of the breakouts */
};

void room_session_init(struct room_session *s, const char *name, int64_t now_ms);
void room_session_clear(struct room_session *s); /* frees what it holds */

/* The main session or a breakout; NULL: the room has none of this id. */
struct room_session *room_session_find(struct room *r, const char *id);
/* NULL: BREAKOUTS_MAX. The name is copied and was checked (text_line). */
struct room_session *room_breakout_new(struct room *r, const char *name, const char *creator, int64_t now_ms);
/* The breakout that this peer has made by this name since `since_ms`: a repeat of its request means that one. NULL: none. */
struct room_session *room_breakout_made(const struct room *r, const char *name, const char *creator, int64_t since_ms);
/* Nobody may be in it any more. */
void room_breakout_free(struct room *r, struct room_session *s);
bool room_session_is_main(const struct room *r, const struct room_session *s);

#endif
