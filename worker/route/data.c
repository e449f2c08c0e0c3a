#include "worker/route/data.h"

#include "lib/clock.h"
#include "lib/mem.h"
#include "worker/route/data_consumer.h"
#include "worker/route/data_producer.h"
#include "worker/route/state.h"
#include "worker/route/transport.h"
#include "worker/sctp/association.h"
#include "worker/sctp/stack.h"
#include "worker/wire/dcep.h"

#include <errno.h>
#include <stdlib.h>

/* ---- the library's clock ---- */

static void clock_fired(struct timer *timer, int64_t now_us, void *arg)
{
    (void)timer;
    struct engine *e = arg;
    e->data_now_us = now_us;
    stack_timer(now_us);
    data_arm(e);
}

void data_open(struct engine *e)
{
    timer_init(&e->data_timer, clock_fired, e);
    stack_open();
}

void data_shut(struct engine *e)
{
    timer_stop(&e->timers, &e->data_timer);
    stack_close();
}

void data_arm(struct engine *e)
{
    int64_t due_us = stack_next_us();
    if (due_us == TIME_NEVER_US)
        timer_stop(&e->timers, &e->data_timer);
    else if (!e->data_timer.pos || e->data_timer.due_us > due_us)
        timer_start(&e->timers, &e->data_timer, due_us);
}

/* ---- the association ---- */

static void on_send(const uint8_t *packet, size_t len, void *arg)
{
    struct transport *t = ((struct data *)arg)->transport;
    if (t->writable)
        t->way->sctp(t, packet, len);
}

static void tell_state(const struct transport *t, enum association_state state)
{
    struct engine_event ev = {
        .kind = ENGINE_SCTP_STATE, .object = t->id, .sctp = (enum engine_sctp_state)state};
    engine_event(t->engine, &ev);
}

void data_tell(const struct transport *t)
{
    if (t->data && t->data->association)
        tell_state(t, association_state(t->data->association));
}

static void on_state(enum association_state from, enum association_state to, void *arg)
{
    (void)from;
    const struct transport *t = ((struct data *)arg)->transport;
    counter_set(&t->counters->sctp_state, (uint64_t)to);
    tell_state(t, to);
}

static void acknowledge(struct data *d, const struct association_message *m)
{
    static const uint8_t ack = DCEP_ACK;
    struct dcep in;
    if (dcep_parse(m->data, m->len, &in) || in.type != DCEP_OPEN)
        return;
    association_send(d->association, &(struct association_message){.stream = m->stream,
                                                                   .ppid = DCEP_PPID_CONTROL,
                                                                   .data = &ack,
                                                                   .len = DCEP_ACK_LEN});
}

static bool is_user_data(uint32_t ppid)
{
    return ppid == DCEP_PPID_STRING || ppid == DCEP_PPID_BINARY || ppid == DCEP_PPID_STRING_EMPTY ||
           ppid == DCEP_PPID_BINARY_EMPTY;
}

static void on_message(const struct association_message *m, void *arg)
{
    struct data *d = arg;
    struct engine *e = d->transport->engine;
    struct data_producer *p = data_producer_on(d, m->stream);
    if (p && m->ppid == DCEP_PPID_CONTROL)
        acknowledge(d, m);
    else if (p && is_user_data(m->ppid))
        data_producer_message(p, m->ppid, m->data, m->len, e->data_now_us);
    else
        counter_add(&e->counts->dropped_data_messages, 1);
}

static const struct association_handlers handlers = {
    .send = on_send, .state = on_state, .message = on_message};

/* ---- for the transport ---- */

int data_new(struct transport *t, const struct params_sctp *p)
{
    if (p->streams == 0 || p->streams > ASSOCIATION_STREAMS_MAX ||
        p->max_message < ASSOCIATION_MESSAGE_MIN || p->max_message > ASSOCIATION_MESSAGE_MAX ||
        p->send_buffer < p->max_message || p->send_buffer > ASSOCIATION_SEND_BUFFER_MAX)
        return -EINVAL;
    t->data = mem_zalloc(sizeof(*t->data));
    t->data->transport = t;
    t->data->params = *p;
    return 0;
}

void data_close(struct transport *t, int64_t now_us)
{
    struct data *d = t->data;
    struct engine *e = t->engine;
    if (!d)
        return;
    e->data_now_us = now_us;
    while (d->consumers)
        data_consumer_close(e, d->consumers->id, now_us);
    while (d->producers)
        data_producer_close(e, d->producers->id, now_us);
    e->n_associations -= d->association != NULL;
    association_free(d->association);
    free(d);
    t->data = NULL;
    data_arm(e);
}

static int make_association(struct transport *t, int64_t now_us)
{
    struct data *d = t->data;
    struct engine *e = t->engine;
    if (e->n_associations >= LIMIT_ASSOCIATIONS)
        return -ENOSPC;
    const struct association_config conf = {.streams = d->params.streams,
                                            .max_message = d->params.max_message,
                                            .send_buffer = d->params.send_buffer};
    int err = association_new(&d->association, &conf, &handlers, d);
    if (err)
        return err;
    e->n_associations++;
    data_writable(t, now_us);
    return 0;
}

int data_need(struct transport *t, uint16_t stream, int64_t now_us)
{
    int err = t->data->association ? 0 : make_association(t, now_us);
    if (!err)
        association_use(t->data->association, stream);
    return err;
}

void data_close_stream(struct data *d, uint16_t stream, int64_t now_us)
{
    d->transport->engine->data_now_us = now_us;
    association_reset(d->association, stream);
}

void data_writable(struct transport *t, int64_t now_us)
{
    if (!t->data || !t->data->association || !t->writable)
        return;
    stack_timer(now_us); /* the library's clock may have stood still till now */
    t->engine->data_now_us = now_us;
    association_connect(t->data->association);
    data_arm(t->engine);
}

void data_input(struct transport *t, const uint8_t *packet, size_t len, int64_t now_us)
{
    struct data *d = t->data;
    struct engine *e = t->engine;
    if (!d || !d->association || !t->writable) {
        counter_add(&e->counts->dropped_sctp, 1);
        return;
    }
    uint64_t dropped = association_dropped(d->association);
    e->data_now_us = now_us;
    association_input(d->association, packet, len);
    counter_add(&e->counts->dropped_sctp, association_dropped(d->association) - dropped);
    data_arm(e);
}
