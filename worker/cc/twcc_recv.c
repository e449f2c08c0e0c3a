#include "worker/cc/twcc_recv.h"

#include "lib/clock.h"
#include "lib/mem.h"
#include "lib/seq.h"
#include "worker/wire/rtcp.h"

#include <stdlib.h>

#define FIRST_CYCLE 65536 /* so that numbers just before the first stay positive */
#define STRAYS_MAX  50    /* packets in a row out of range: the sender has started anew */

_Static_assert(TWCC_RECV_SLOTS <= RTCP_TWCC_MAX, "one feedback can tell of a whole window");

struct twcc_recv {
    bool started;
    int64_t newest; /* extended number */
    int64_t next;   /* first to report */
    int64_t due_us;
    uint32_t media_ssrc;
    uint8_t count; /* of feedback packets */
    unsigned strays;
    int64_t arrival_us[TWCC_RECV_SLOTS]; /* 0: not here */
};

int twcc_recv_new(struct twcc_recv **tp)
{
    struct twcc_recv *t = mem_zalloc(sizeof(*t));
    t->due_us = TIME_NEVER_US;
    *tp = t;
    return 0;
}

void twcc_recv_free(struct twcc_recv *t)
{
    free(t);
}

static int64_t *place(struct twcc_recv *t, int64_t ext)
{
    return &t->arrival_us[ext & (TWCC_RECV_SLOTS - 1)];
}

static void start(struct twcc_recv *t, uint16_t seq)
{
    for (size_t i = 0; i < TWCC_RECV_SLOTS; i++)
        t->arrival_us[i] = 0;
    t->started = true;
    t->newest = t->next = FIRST_CYCLE + seq;
    t->due_us = TIME_NEVER_US;
    t->strays = 0;
}

static void move_to(struct twcc_recv *t, int64_t ext)
{
    int64_t from = t->newest + 1;
    if (from <= ext - TWCC_RECV_SLOTS)
        from = ext - TWCC_RECV_SLOTS + 1;
    for (; from <= ext; from++)
        *place(t, from) = 0;
    t->newest = ext;
    if (t->next <= ext - TWCC_RECV_SLOTS)
        t->next = ext - TWCC_RECV_SLOTS + 1;
}

/* Whether so late a packet is still worth telling: those around it arrived not long ago. */
static bool within_window(struct twcc_recv *t, int64_t ext, int64_t rx_us)
{
    for (int64_t i = ext + 1; i < t->next; i++)
        if (*place(t, i))
            return rx_us - *place(t, i) <= TWCC_RECV_WINDOW_US;
    return true;
}

void twcc_recv_packet(struct twcc_recv *t, uint16_t seq, uint32_t media_ssrc, int64_t rx_us)
{
    int64_t ext = t->started ? seq16_extend(seq, t->newest) : 0;
    if (!t->started || (ext <= t->newest - TWCC_RECV_SLOTS && ++t->strays > STRAYS_MAX)) {
        start(t, seq);
        ext = t->newest;
    } else if (ext <= t->newest - TWCC_RECV_SLOTS) {
        return;
    }
    t->strays = 0;
    if (ext > t->newest)
        move_to(t, ext);
    else if (*place(t, ext) || (ext < t->next && !within_window(t, ext, rx_us)))
        return;
    *place(t, ext) = rx_us > 0 ? rx_us : 1;
    t->media_ssrc = media_ssrc;
    if (ext < t->next)
        t->next = ext;
    if (t->due_us == TIME_NEVER_US)
        t->due_us = rx_us + TWCC_RECV_INTERVAL_US;
}

int64_t twcc_recv_next_us(const struct twcc_recv *t)
{
    return t->due_us;
}

bool twcc_recv_feedback(struct twcc_recv *t, uint32_t sender_ssrc, int64_t now_us, struct writer *w)
{
    struct rtcp_twcc_status st[TWCC_RECV_SLOTS];
    size_t n = 0;
    if (t->due_us == TIME_NEVER_US)
        return false;
    for (int64_t i = t->next; i <= t->newest; i++, n++) {
        int64_t at = *place(t, i);
        st[n] = (struct rtcp_twcc_status){.seq = (uint16_t)i, .received = at, .arrival_us = at};
    }
    size_t room = (size_t)(w->end - w->p);
    struct writer part =
        writer_of(w->p, room < TWCC_RECV_PACKET_BYTES ? room : TWCC_RECV_PACKET_BYTES);
    size_t took = rtcp_write_twcc(&part, sender_ssrc, t->media_ssrc, t->count, st, n);
    if (took == 0) {
        t->due_us = now_us + TWCC_RECV_INTERVAL_US;
        return false;
    }
    w->p = part.p;
    t->count++;
    t->next += (int64_t)took;
    bool more = t->next <= t->newest;
    t->due_us = more ? now_us : TIME_NEVER_US;
    return more;
}
