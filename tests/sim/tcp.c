#include "tests/sim/tcp.h"

#include "lib/clock.h"
#include "lib/mem.h"
#include "lib/seq.h"

#include <stdlib.h>

#define PACKET_BYTES 1400
#define ACK_BYTES    40
#define TIMEOUT_US   S_US(1)
#define WINDOW_START 4

struct tcp {
    struct sim *sim;
    struct sim_link *there, *back;
    double window;   /* packets */
    double limit;    /* slow start below it */
    int64_t sent;    /* extended number of the next packet */
    int64_t acked;   /* all below arrived or are lost */
    int64_t recover; /* a loss below it was answered already */
    int64_t heard_us, end_us;
    uint64_t arrived_bytes;
};

static void send_more(struct tcp *t, int64_t now_us);

/* The path keeps the order, so that a gap is a loss. */
static void ack_arrived(struct sim_packet *p, int64_t now_us, void *arg)
{
    struct tcp *t = arg;
    int64_t ext = seq16_extend(p->seq, t->acked);
    if (ext < t->acked)
        return;
    t->heard_us = now_us;
    if (ext > t->acked && t->acked >= t->recover) {
        t->window = t->window / 2 > 1 ? t->window / 2 : 1;
        t->limit = t->window;
        t->recover = t->sent;
    }
    t->acked = ext + 1;
    t->window += t->window < t->limit ? 1 : 1 / t->window;
    send_more(t, now_us);
}

static void data_arrived(struct sim_packet *p, int64_t now_us, void *arg)
{
    (void)now_us;
    struct tcp *t = arg;
    t->arrived_bytes += p->bytes;
    struct sim_packet ack = {.bytes = ACK_BYTES, .deliver = ack_arrived, .arg = t, .seq = p->seq};
    sim_link_send(t->back, &ack);
}

static void send_more(struct tcp *t, int64_t now_us)
{
    while (now_us < t->end_us && (double)(t->sent - t->acked) < t->window) {
        struct sim_packet p = {
            .bytes = PACKET_BYTES, .deliver = data_arrived, .arg = t, .seq = (uint16_t)t->sent};
        t->sent++;
        sim_link_send(t->there, &p);
    }
}

static void watch(int64_t now_us, void *arg)
{
    struct tcp *t = arg;
    if (now_us >= t->end_us)
        return;
    if (now_us - t->heard_us > TIMEOUT_US) {
        t->acked = t->recover = t->sent;
        t->limit = t->window / 2;
        t->window = 1;
        t->heard_us = now_us;
    }
    send_more(t, now_us);
    sim_at(t->sim, now_us + TIMEOUT_US / 4, watch, t);
}

struct tcp *tcp_new(struct sim *s, struct sim_link *there, struct sim_link *back)
{
    struct tcp *t = mem_zalloc(sizeof(*t));
    *t = (struct tcp){.sim = s, .there = there, .back = back, .window = WINDOW_START, .limit = 1e9};
    return t;
}

void tcp_free(struct tcp *t)
{
    free(t);
}

void tcp_run(struct tcp *t, int64_t from_us, int64_t to_us)
{
    t->end_us = to_us;
    t->heard_us = from_us;
    sim_at(t->sim, from_us, watch, t);
}

uint64_t tcp_arrived_bytes(const struct tcp *t)
{
    return t->arrived_bytes;
}
