#include "server/media/channel.h"

#include "tests/unit/check.h"
#include "tests/unit/server/media/fake_worker.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static unsigned n_hello, n_events, n_replies;
static uint64_t last_handle;
static const char *last_err;

static void on_hello(const Althing__HelloReply *hello, void *arg)
{
    (void)arg;
    assert_string_equal(hello->release, "0.1.0");
    n_hello++;
}

static void on_event(const Althing__Event *event, void *arg)
{
    (void)event;
    (void)arg;
    n_events++;
}

static void on_reply(uint64_t handle, const char *err, void *arg)
{
    (void)arg;
    last_handle = handle;
    last_err = err;
    n_replies++;
}

static struct channel *start(struct fake_worker *w)
{
    static const struct channel_handlers handlers = {on_hello, on_event};
    struct channel *c;
    int fd;
    n_hello = n_events = n_replies = 0;
    fake_init(w, &fd);
    assert_int_equal(channel_new(&c, fd, 7, false, &handlers, NULL, 0), 0);
    return c;
}

static struct channel *start_greeted(struct fake_worker *w)
{
    struct channel *c = start(w);
    assert_int_equal(fake_turn(w), 1);
    assert_int_equal(channel_read(c), 0);
    assert_int_equal(n_hello, 1);
    return c;
}

static int ask(struct channel *c, uint64_t handle)
{
    Althing__CloseRouter msg = ALTHING__CLOSE_ROUTER__INIT;
    msg.router = handle;
    Althing__Request rq = ALTHING__REQUEST__INIT;
    rq.method_case = ALTHING__REQUEST__METHOD_CLOSE_ROUTER;
    rq.close_router = &msg;
    return channel_request(c, &rq, handle, on_reply, NULL, 1000);
}

static void pipelines_and_answers_in_order(void **state)
{
    (void)state;
    struct fake_worker w;
    struct channel *c = start(&w);
    /* Before the worker has even said hello. */
    for (uint64_t i = 1; i <= 20; i++)
        assert_int_equal(ask(c, i), 0);
    assert_int_equal(fake_turn(&w), 21);
    assert_int_equal(w.epoch, 7);
    assert_int_equal(channel_read(c), 0);
    assert_int_equal(n_replies, 20);
    assert_int_equal(last_handle, 20);
    assert_null(last_err);
    assert_true(channel_deadline_us(c) == INT64_MAX);
    w.refuse = "no such router";
    ask(c, 21);
    assert_true(channel_deadline_us(c) == 1000 + CHANNEL_TIMEOUT_US);
    fake_turn(&w);
    channel_read(c);
    assert_non_null(last_err);
    w.mute = true;
    ask(c, 22);
    fake_turn(&w);
    channel_fail(c, "gone");
    assert_int_equal(last_handle, 22);
    assert_string_equal(last_err, "gone");
    channel_free(c);
    fake_free(&w);
}

static void bounds_what_waits(void **state)
{
    (void)state;
    struct fake_worker w;
    struct channel *c = start_greeted(&w);
    int err = 0;
    unsigned n = 0;
    for (; n <= CHANNEL_PENDING_MAX && !err; n++)
        err = ask(c, n);
    assert_int_equal(err, -ENOBUFS);
    channel_free(c);
    fake_free(&w);
}

static void sees_the_end(void **state)
{
    (void)state;
    struct fake_worker w;
    struct channel *c = start_greeted(&w);
    close(w.fd);
    w.fd = -1;
    assert_int_equal(channel_read(c), -EPIPE);
    assert_int_equal(ask(c, 1), -EPIPE);
    channel_free(c);
    fake_free(&w);
}

/* Each row is a frame of a hostile or broken worker. */
static void reply_to_nothing(Althing__Frame *f)
{
    f->reply->id = 99;
}
static void reply_with_hello(Althing__Frame *f)
{
    static Althing__HelloReply h;
    h = (Althing__HelloReply)ALTHING__HELLO_REPLY__INIT;
    f->reply->result_case = ALTHING__REPLY__RESULT_HELLO;
    f->reply->hello = &h;
}
static void later_epoch(Althing__Frame *f)
{
    f->epoch = 8;
}
static void no_body(Althing__Frame *f)
{
    f->body_case = ALTHING__FRAME__BODY__NOT_SET;
}
static void a_request(Althing__Frame *f)
{
    static Althing__Request rq;
    rq = (Althing__Request)ALTHING__REQUEST__INIT;
    f->body_case = ALTHING__FRAME__BODY_REQUEST;
    f->request = &rq;
}
static Althing__Event event;
static void empty_event(Althing__Frame *f)
{
    event = (Althing__Event)ALTHING__EVENT__INIT;
    f->body_case = ALTHING__FRAME__BODY_EVENT;
    f->event = &event;
}
static void high_score(Althing__Frame *f)
{
    static Althing__ScoreChanged s;
    s = (Althing__ScoreChanged)ALTHING__SCORE_CHANGED__INIT;
    s.score = 11;
    empty_event(f);
    event.kind_case = ALTHING__EVENT__KIND_SCORE;
    event.score = &s;
}
static void strange_state(Althing__Frame *f)
{
    static Althing__IceStateChanged s;
    s = (Althing__IceStateChanged)ALTHING__ICE_STATE_CHANGED__INIT;
    s.state = (Althing__IceState)77;
    empty_event(f);
    event.kind_case = ALTHING__EVENT__KIND_ICE_STATE;
    event.ice_state = &s;
}
static void strange_tuple(Althing__Frame *f)
{
    static Althing__SelectedTuple s;
    static char proto[] = "udp", ip[] = "192.0.2.1", bad[] = "<script>";
    s = (Althing__SelectedTuple)ALTHING__SELECTED_TUPLE__INIT;
    s.protocol = proto;
    s.local_ip = ip;
    s.remote_ip = bad;
    empty_event(f);
    event.kind_case = ALTHING__EVENT__KIND_TUPLE;
    event.tuple = &s;
}
static void layers_of_nothing(Althing__Frame *f)
{
    static Althing__LayersChanged s;
    s = (Althing__LayersChanged)ALTHING__LAYERS_CHANGED__INIT;
    empty_event(f);
    event.kind_case = ALTHING__EVENT__KIND_LAYERS;
    event.layers = &s;
}
static void older_epoch(Althing__Frame *f)
{
    reply_to_nothing(f);
    f->epoch = 6;
}
static void epoch_zero_later(Althing__Frame *f)
{
    f->epoch = 0;
}
static void unknown_object(Althing__Frame *f)
{
    high_score(f);
    event.score->score = 3;
    event.score->object = 12345;
}

static void judges_frames(void **state)
{
    (void)state;
    static const struct {
        void (*make)(Althing__Frame *);
        int want;
    } rows[] = {
        {reply_to_nothing, -EPROTO},
        {reply_with_hello, -EPROTO},
        {later_epoch, -EPROTO},
        {no_body, -EPROTO},
        {a_request, -EPROTO},
        {empty_event, -EPROTO},
        {high_score, -EPROTO},
        {strange_state, -EPROTO},
        {strange_tuple, -EPROTO},
        {layers_of_nothing, -EPROTO},
        {older_epoch, 0},
        {epoch_zero_later, 0},
        {unknown_object, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct fake_worker w;
        struct channel *c = start_greeted(&w);
        ask(c, 5);
        Althing__Reply reply = ALTHING__REPLY__INIT;
        reply.id = 2;
        Althing__Frame f = ALTHING__FRAME__INIT;
        f.epoch = 7;
        f.body_case = ALTHING__FRAME__BODY_REPLY;
        f.reply = &reply;
        rows[i].make(&f);
        fake_send(&w, &f);
        assert_int_equal(channel_read(c), rows[i].want);
        assert_int_equal(*channel_why(c) != 0, rows[i].want != 0);
        channel_free(c);
        fake_free(&w);
    }
    struct fake_worker w;
    struct channel *c = start_greeted(&w);
    fake_bytes(&w, "\xff\xff\xff\xff", 4);
    assert_int_equal(channel_read(c), -EPROTO);
    channel_free(c);
    fake_free(&w);
}

static void wants_our_version(void **state)
{
    (void)state;
    struct fake_worker w;
    struct channel *c = start(&w);
    w.mute = true;
    fake_turn(&w);
    Althing__HelloReply h = ALTHING__HELLO_REPLY__INIT;
    h.version = 2;
    Althing__Reply reply = ALTHING__REPLY__INIT;
    reply.id = 1;
    reply.result_case = ALTHING__REPLY__RESULT_HELLO;
    reply.hello = &h;
    Althing__Frame f = ALTHING__FRAME__INIT;
    f.body_case = ALTHING__FRAME__BODY_REPLY;
    f.reply = &reply;
    fake_send(&w, &f);
    assert_int_equal(channel_read(c), -EPROTO);
    assert_int_equal(n_hello, 0);
    channel_free(c);
    fake_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pipelines_and_answers_in_order),
        cmocka_unit_test(bounds_what_waits),
        cmocka_unit_test(sees_the_end),
        cmocka_unit_test(judges_frames),
        cmocka_unit_test(wants_our_version),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
