#include "server/room/session.h"

#include "lib/mem.h"
#include "lib/rand.h"
#include "server/room/room.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <utlist.h>

void room_session_init(struct room_session *s, const char *name, int64_t now_ms)
{
    *s = (struct room_session){.name = mem_strdup(name), .created_ms = now_ms};
    rand_uuid(s->id);
    chat_init(&s->chat, CHAT_KEPT_MAX, CHAT_KEPT_BYTES);
    chat_init(&s->files, FILES_KEPT_MAX, FILES_KEPT_BYTES);
}

void room_session_clear(struct room_session *s)
{
    chat_clear(&s->chat);
    chat_clear(&s->files);
    free(s->name);
    s->name = NULL;
}

bool room_session_is_main(const struct room *r, const struct room_session *s)
{
    return s == &r->main;
}

struct room_session *room_session_find(struct room *r, const char *id)
{
    struct room_session *s;
    if (!strcmp(r->main.id, id))
        return &r->main;
    DL_FOREACH (r->breakouts, s) {
        if (!strcmp(s->id, id))
            return s;
    }
    return NULL;
}

struct room_session *room_breakout_new(struct room *r, const char *name, const char *creator,
                                       int64_t now_ms)
{
    if (r->n_breakouts >= BREAKOUTS_MAX)
        return NULL;
    struct room_session *s = mem_zalloc(sizeof(*s));
    room_session_init(s, name, now_ms);
    snprintf(s->creator, sizeof(s->creator), "%s", creator);
    DL_APPEND(r->breakouts, s);
    r->n_breakouts++;
    return s;
}

struct room_session *room_breakout_made(const struct room *r, const char *name, const char *creator,
                                        int64_t since_ms)
{
    struct room_session *s;
    DL_FOREACH (r->breakouts, s) {
        if (s->created_ms >= since_ms && !strcmp(s->creator, creator) && !strcmp(s->name, name))
            return s;
    }
    return NULL;
}

void room_breakout_free(struct room *r, struct room_session *s)
{
    s->change.type = CHANGE_SESSION;
    change_end(&r->rooms->keeper, &s->change);
    DL_DELETE(r->breakouts, s);
    r->n_breakouts--;
    room_session_clear(s);
    free(s);
}
