/* A server that is to be stopped: no new rooms, people are told, and at the deadline the rooms that are left are closed. They are told
 * with a chat message, which every client shows. */
#include "lib/clock.h"
#include "server/on.h"

#include <stdio.h>

#define ROOMS_AT_ONCE 50 /* closed in one tick */

static void tell_room(const struct room *r, const char *text)
{
    json_int_t now_ms = (json_int_t)(clock_wall_us() / 1000);
    ROOM_FOREACH_PEER(r, p)
    {
        if (p->state == PEER_JOINED)
            hub_notify(p, "chatMessage",
                       json_pack("{ss, s{ss, ss, ss, sI, ss}}", "peerId", "", "chatMessage", "text",
                                 text, "peerId", "", "displayName", "Server", "timestamp", now_ms,
                                 "sessionId", p->in->id));
    }
}

static void tell_all(const struct hub *h, const char *text)
{
    for (struct room *r = rooms_after(&h->rooms, 0); r; r = r->hh.next)
        tell_room(r, text);
}

void on_drain(struct hub *h, bool on, uint32_t seconds, const char *text)
{
    char own[128];
    bool was = h->drain.on;
    int64_t after_us = S_US(seconds);
    h->drain =
        (struct hub_drain){on, (clock_wall_us() + after_us) / 1000, clock_now_us() + after_us};
    if (on)
        snprintf(own, sizeof(own), "This server will be stopped: the meeting ends in %u minutes.",
                 (seconds + 59) / 60);
    else
        snprintf(own, sizeof(own), "The server goes on: the meeting need not end.");
    if (on || was)
        tell_all(h, text ? text : own);
}

void on_drain_tick(struct hub *h, int64_t now_us)
{
    if (!h->drain.on || now_us < h->drain.deadline_us)
        return;
    for (unsigned i = 0; i < ROOMS_AT_ONCE; i++) {
        struct room *r = rooms_after(&h->rooms, 0);
        if (!r)
            return;
        on_room_end(h, r, "moderator:kick");
    }
}
