#include "lib/chan.h"
#include "lib/clock.h"
#include "proto/worker.pb-c.h"
#include "tests/unit/check.h"
#include "worker/on_request.h"
#include "worker/secure/dtls.h"
#include "worker/wire/dgram.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A worker's end and a server's end of one channel. */
struct rig {
    struct chan *worker, *server;
    struct dtls_cert *cert;
    struct outbox outbox;
    struct engine *engine;
    struct channel *channel;
    uint64_t epoch, id;
    uint8_t buf[CHAN_FRAME_MAX];
};

static void nowhere(struct outbox *ob, void *arg)
{
    (void)ob;
    (void)arg;
}

static void open_rig(struct rig *r, size_t queue)
{
    int fds[2];
    memset(r, 0, sizeof(*r));
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
    assert_int_equal(chan_new(&r->worker, fds[0], queue), 0);
    assert_int_equal(chan_new(&r->server, fds[1], 1 << 20), 0);
    assert_int_equal(dtls_cert_new(&r->cert), 0);
    outbox_init(&r->outbox, nowhere, NULL);
    struct channel_config cc = {.chan = r->worker, .cert = r->cert, .release = "1.2.3"};
    channel_new(&r->channel, &cc);
    struct engine_config ec = {
        .outbox = &r->outbox, .cert = r->cert, .event = channel_event, .event_arg = r->channel};
    assert_int_equal(engine_new(&r->engine, &ec), 0);
    channel_start(r->channel, r->engine);
    r->epoch = 7;
}

static void close_rig(struct rig *r)
{
    engine_free(r->engine);
    channel_free(r->channel);
    outbox_free(&r->outbox);
    dtls_cert_free(r->cert);
    chan_free(r->worker);
    chan_free(r->server);
}

/* The next frame that the worker has sent, to be freed; NULL: none. */
static Althing__Frame *next(struct rig *r)
{
    ssize_t n = chan_recv(r->server, r->buf, sizeof(r->buf), NULL, NULL);
    if (n <= 0)
        return NULL;
    Althing__Frame *f = althing__frame__unpack(NULL, (size_t)n, r->buf);
    assert_non_null(f);
    return f;
}

static void give(struct rig *r, Althing__Request *req)
{
    Althing__Frame f = ALTHING__FRAME__INIT;
    f.epoch = r->epoch;
    f.body_case = ALTHING__FRAME__BODY_REQUEST;
    req->id = ++r->id;
    f.request = req;
    size_t n = althing__frame__pack(&f, r->buf);
    assert_int_equal(channel_frame(r->channel, r->buf, n, S_US(1)), 0);
}

/* The error code of the reply; 0: done. */
static int ask(struct rig *r, Althing__Request *req)
{
    give(r, req);
    Althing__Frame *f = next(r);
    assert_non_null(f);
    assert_int_equal(f->body_case, ALTHING__FRAME__BODY_REPLY);
    assert_int_equal(f->reply->id, r->id);
    int code = f->reply->error ? (int)f->reply->error->code : 0;
    if (code)
        assert_true(f->reply->error->text[0] != '\0');
    althing__frame__free_unpacked(f, NULL);
    return code;
}

static int hello(struct rig *r, uint32_t version, uint64_t epoch)
{
    Althing__Hello m = ALTHING__HELLO__INIT;
    Althing__Request req = ALTHING__REQUEST__INIT;
    m.version = version;
    m.epoch = epoch;
    req.method_case = ALTHING__REQUEST__METHOD_HELLO;
    req.hello = &m;
    return ask(r, &req);
}

static int create_router(struct rig *r, uint64_t router)
{
    Althing__CreateRouter m = ALTHING__CREATE_ROUTER__INIT;
    Althing__Request req = ALTHING__REQUEST__INIT;
    char room[] = "room";
    m.router = router;
    m.room = room;
    req.method_case = ALTHING__REQUEST__METHOD_CREATE_ROUTER;
    req.create_router = &m;
    return ask(r, &req);
}

static int create_transport(struct rig *r, uint64_t router, uint64_t transport, const char *ufrag,
                            const char *password)
{
    Althing__CreateTransport m = ALTHING__CREATE_TRANSPORT__INIT;
    Althing__Request req = ALTHING__REQUEST__INIT;
    m.router = router;
    m.transport = transport;
    m.ice_ufrag = (char *)(uintptr_t)ufrag;
    m.ice_password = (char *)(uintptr_t)password;
    req.method_case = ALTHING__REQUEST__METHOD_CREATE_TRANSPORT;
    req.create_transport = &m;
    return ask(r, &req);
}

#define PASSWORD "0123456789012345678901"

static void hello_and_its_epochs(void **state)
{
    (void)state;
    struct rig r;
    open_rig(&r, 65536);
    assert_int_equal(create_router(&r, 1),
                     ALTHING__ERROR_CODE__ERROR_MALFORMED); /* hello comes first */
    assert_int_equal(hello(&r, 99, 7), ALTHING__ERROR_CODE__ERROR_UNSUPPORTED);
    assert_int_equal(hello(&r, 1, 8), ALTHING__ERROR_CODE__ERROR_MALFORMED);
    assert_int_equal(hello(&r, 1, 7), 0);
    assert_int_equal(create_router(&r, 1), 0);
    assert_int_equal(create_router(&r, 1), ALTHING__ERROR_CODE__ERROR_EXISTS);
    assert_int_equal(hello(&r, 1, 7), 0); /* again: nothing is lost */
    assert_int_equal(create_router(&r, 1), ALTHING__ERROR_CODE__ERROR_EXISTS);
    r.epoch = 9;
    assert_int_equal(create_router(&r, 1), ALTHING__ERROR_CODE__ERROR_MALFORMED);
    assert_int_equal(hello(&r, 1, 9), 0); /* a new server: all is gone */
    assert_int_equal(create_router(&r, 1), 0);
    r.epoch = 7;
    uint64_t ignored = channel_ignored(r.channel);
    Althing__CloseRouter m = ALTHING__CLOSE_ROUTER__INIT;
    Althing__Request req = ALTHING__REQUEST__INIT;
    m.router = 1;
    req.method_case = ALTHING__REQUEST__METHOD_CLOSE_ROUTER;
    req.close_router = &m;
    give(&r, &req);
    assert_null(next(&r));
    assert_int_equal(channel_ignored(r.channel), ignored + 1);
    close_rig(&r);
}

static void hello_tells_fingerprints(void **state)
{
    (void)state;
    struct rig r;
    open_rig(&r, 65536);
    Althing__Hello m = ALTHING__HELLO__INIT;
    Althing__Request req = ALTHING__REQUEST__INIT;
    m.version = 1;
    m.epoch = 7;
    req.method_case = ALTHING__REQUEST__METHOD_HELLO;
    req.hello = &m;
    give(&r, &req);
    Althing__Frame *f = next(&r);
    assert_int_equal(f->epoch, 7);
    assert_int_equal(f->reply->result_case, ALTHING__REPLY__RESULT_HELLO);
    assert_int_equal(f->reply->hello->version, 1);
    assert_string_equal(f->reply->hello->release, "1.2.3");
    assert_true(f->reply->hello->n_fingerprints >= 1);
    assert_int_equal(f->reply->hello->fingerprints[0]->value[2], ':');
    althing__frame__free_unpacked(f, NULL);
    close_rig(&r);
}

static void transports_are_checked(void **state)
{
    (void)state;
    static const struct {
        uint64_t router, transport;
        const char *ufrag, *password;
        int code;
    } cases[] = {
        {1, 2, "abcd", PASSWORD, 0},
        {1, 2, "abce", PASSWORD, ALTHING__ERROR_CODE__ERROR_EXISTS},
        {1, 3, "abcd", PASSWORD, ALTHING__ERROR_CODE__ERROR_EXISTS},
        {9, 3, "abce", PASSWORD, ALTHING__ERROR_CODE__ERROR_NOT_FOUND},
        {1, 0, "abce", PASSWORD, ALTHING__ERROR_CODE__ERROR_MALFORMED},
        {1, 3, "abc", PASSWORD, ALTHING__ERROR_CODE__ERROR_MALFORMED},
        {1, 3, "ab:cd", PASSWORD, ALTHING__ERROR_CODE__ERROR_MALFORMED},
        {1, 3, "abce", "short", ALTHING__ERROR_CODE__ERROR_MALFORMED},
        {1, 3, "abcdabcdabcdabcdabcdabcdabcdabcdX", PASSWORD, ALTHING__ERROR_CODE__ERROR_MALFORMED},
    };
    struct rig r;
    open_rig(&r, 65536);
    assert_int_equal(hello(&r, 1, 7), 0);
    assert_int_equal(create_router(&r, 0), ALTHING__ERROR_CODE__ERROR_MALFORMED);
    assert_int_equal(create_router(&r, 1), 0);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(create_transport(&r, cases[i].router, cases[i].transport, cases[i].ufrag,
                                          cases[i].password),
                         cases[i].code);
    close_rig(&r);
}

/* A producer's request, good but for what a case changes. */
struct producer_request {
    Althing__CreateProducer m;
    Althing__Codec codecs[2], *codec_list[2];
    Althing__Extension ext[2], *ext_list[2];
    Althing__Encoding enc[2], *enc_list[2];
};

static void good_producer(struct producer_request *p, uint64_t id)
{
    althing__create_producer__init(&p->m);
    for (int i = 0; i < 2; i++) {
        althing__codec__init(&p->codecs[i]);
        althing__extension__init(&p->ext[i]);
        althing__encoding__init(&p->enc[i]);
        p->codec_list[i] = &p->codecs[i];
        p->ext_list[i] = &p->ext[i];
        p->enc_list[i] = &p->enc[i];
    }
    p->codecs[0].type = ALTHING__CODEC_TYPE__CODEC_VP8;
    p->codecs[0].payload_type = 96;
    p->codecs[0].clock_rate = 90000;
    p->codecs[1] = p->codecs[0];
    p->codecs[1].payload_type = 98;
    p->ext[0].type = ALTHING__EXTENSION_TYPE__EXTENSION_MID;
    p->ext[0].id = 4;
    p->ext[1].type = ALTHING__EXTENSION_TYPE__EXTENSION_RID;
    p->ext[1].id = 5;
    p->enc[0].ssrc = (uint32_t)(1000 * id);
    p->enc[1].ssrc = (uint32_t)(1000 * id + 1);
    p->m.transport = 2;
    p->m.producer = id;
    p->m.kind = ALTHING__KIND__KIND_VIDEO;
    p->m.n_codecs = p->m.n_extensions = p->m.n_encodings = 2;
    p->m.codecs = p->codec_list;
    p->m.extensions = p->ext_list;
    p->m.encodings = p->enc_list;
}

static int create_producer(struct rig *r, struct producer_request *p)
{
    Althing__Request req = ALTHING__REQUEST__INIT;
    req.method_case = ALTHING__REQUEST__METHOD_CREATE_PRODUCER;
    req.create_producer = &p->m;
    return ask(r, &req);
}

static void spoil(struct producer_request *p, int how)
{
    static char long_rid[] = "012345678901234567890123456789012", same_rid[] = "q",
                bad_mid[] = "a b";
    switch (how) {
    case 0:
        p->m.producer = 0;
        break;
    case 1:
        p->m.kind = 0;
        break;
    case 2:
        p->m.n_codecs = 0;
        break;
    case 3:
        p->codecs[0].payload_type = 128;
        break;
    case 4:
        p->codecs[1].payload_type = 96;
        break;
    case 5:
        p->codecs[0].clock_rate = 0;
        break;
    case 6:
        p->codecs[0].has_rtx = 1;
        p->codecs[0].rtx_payload_type = 98;
        break;
    case 7:
        p->codecs[0].has_rtx = 1;
        p->codecs[0].rtx_payload_type = 200;
        break;
    case 8:
        p->codecs[0].type = 77;
        break;
    case 9:
        p->ext[1].id = 4;
        break;
    case 10:
        p->ext[0].id = 0;
        break;
    case 11:
        p->ext[0].id = 256;
        break;
    case 12:
        p->m.n_encodings = 0;
        break;
    case 13:
        p->enc[1].ssrc = p->enc[0].ssrc;
        break;
    case 14:
        p->enc[1].rtx_ssrc = p->enc[0].ssrc;
        break;
    case 15:
        p->enc[0].ssrc = 0;
        break;
    case 16:
        p->enc[0].rid = long_rid;
        break;
    case 17:
        p->enc[0].rid = p->enc[1].rid = same_rid;
        break;
    case 18:
        p->enc[0].temporal_layers = 9;
        break;
    default:
        p->m.mid = bad_mid;
        break;
    }
}

static void producers_are_checked(void **state)
{
    (void)state;
    struct rig r;
    struct producer_request p;
    open_rig(&r, 65536);
    assert_int_equal(hello(&r, 1, 7), 0);
    assert_int_equal(create_router(&r, 1), 0);
    assert_int_equal(create_transport(&r, 1, 2, "abcd", PASSWORD), 0);
    for (int how = 0; how < 20; how++) {
        good_producer(&p, 3);
        spoil(&p, how);
        assert_int_equal(create_producer(&r, &p), ALTHING__ERROR_CODE__ERROR_MALFORMED);
    }
    good_producer(&p, 3);
    p.ext[1].type = 99; /* of a newer server */
    assert_int_equal(create_producer(&r, &p), 0);
    good_producer(&p, 4);
    p.m.transport = 99;
    assert_int_equal(create_producer(&r, &p), ALTHING__ERROR_CODE__ERROR_NOT_FOUND);
    good_producer(&p, 4);
    p.enc[0].ssrc = 3000;
    assert_int_equal(create_producer(&r, &p), ALTHING__ERROR_CODE__ERROR_EXISTS);
    close_rig(&r);
}

static int create_consumer(struct rig *r, uint64_t id, uint32_t ssrc, uint32_t rtx, bool with_codec)
{
    Althing__CreateConsumer m = ALTHING__CREATE_CONSUMER__INIT;
    Althing__CodecMapping map = ALTHING__CODEC_MAPPING__INIT, *maps[] = {&map};
    Althing__Codec codec = ALTHING__CODEC__INIT;
    Althing__Request req = ALTHING__REQUEST__INIT;
    codec.type = ALTHING__CODEC_TYPE__CODEC_VP8;
    codec.payload_type = 101;
    codec.clock_rate = 90000;
    map.producer_payload_type = 96;
    map.codec = with_codec ? &codec : NULL;
    m.transport = 2;
    m.consumer = id;
    m.producer = 3;
    m.ssrc = ssrc;
    m.rtx_ssrc = rtx;
    m.n_codecs = 1;
    m.codecs = maps;
    req.method_case = ALTHING__REQUEST__METHOD_CREATE_CONSUMER;
    req.create_consumer = &m;
    return ask(r, &req);
}

static void consumers_are_checked(void **state)
{
    (void)state;
    struct rig r;
    struct producer_request p;
    open_rig(&r, 65536);
    assert_int_equal(hello(&r, 1, 7), 0);
    assert_int_equal(create_router(&r, 1), 0);
    assert_int_equal(create_transport(&r, 1, 2, "abcd", PASSWORD), 0);
    assert_int_equal(create_consumer(&r, 5, 1, 2, true), ALTHING__ERROR_CODE__ERROR_NOT_FOUND);
    good_producer(&p, 3);
    assert_int_equal(create_producer(&r, &p), 0);
    assert_int_equal(create_consumer(&r, 5, 1, 2, false), ALTHING__ERROR_CODE__ERROR_MALFORMED);
    assert_int_equal(create_consumer(&r, 5, 0, 2, true), ALTHING__ERROR_CODE__ERROR_MALFORMED);
    assert_int_equal(create_consumer(&r, 5, 2, 2, true), ALTHING__ERROR_CODE__ERROR_MALFORMED);
    assert_int_equal(create_consumer(&r, 0, 1, 2, true), ALTHING__ERROR_CODE__ERROR_MALFORMED);
    assert_int_equal(create_consumer(&r, 5, 1, 2, true), 0);
    assert_int_equal(create_consumer(&r, 6, 2, 3, true), ALTHING__ERROR_CODE__ERROR_EXISTS);
    close_rig(&r);
}

static int create_data_transport(struct rig *r, uint64_t transport, const char *ufrag,
                                 Althing__SctpParameters *sctp)
{
    Althing__CreateTransport m = ALTHING__CREATE_TRANSPORT__INIT;
    Althing__Request req = ALTHING__REQUEST__INIT;
    m.router = 1;
    m.transport = transport;
    m.ice_ufrag = (char *)(uintptr_t)ufrag;
    m.ice_password = (char *)(uintptr_t)PASSWORD;
    m.sctp = sctp;
    req.method_case = ALTHING__REQUEST__METHOD_CREATE_TRANSPORT;
    req.create_transport = &m;
    return ask(r, &req);
}

static int create_data_producer(struct rig *r, uint64_t id, Althing__SctpStream *stream)
{
    Althing__CreateDataProducer m = ALTHING__CREATE_DATA_PRODUCER__INIT;
    Althing__Request req = ALTHING__REQUEST__INIT;
    m.transport = 10;
    m.data_producer = id;
    m.stream = stream;
    req.method_case = ALTHING__REQUEST__METHOD_CREATE_DATA_PRODUCER;
    req.create_data_producer = &m;
    return ask(r, &req);
}

static int create_data_consumer(struct rig *r, uint64_t id, Althing__SctpStream *stream)
{
    Althing__CreateDataConsumer m = ALTHING__CREATE_DATA_CONSUMER__INIT;
    Althing__Request req = ALTHING__REQUEST__INIT;
    m.transport = 10;
    m.data_consumer = id;
    m.data_producer = 20;
    m.stream = stream;
    req.method_case = ALTHING__REQUEST__METHOD_CREATE_DATA_CONSUMER;
    req.create_data_consumer = &m;
    return ask(r, &req);
}

static void data_channels_are_checked(void **state)
{
    (void)state;
    const int malformed = ALTHING__ERROR_CODE__ERROR_MALFORMED;
    struct rig r;
    open_rig(&r, 65536);
    assert_int_equal(hello(&r, 1, 7), 0);
    assert_int_equal(create_router(&r, 1), 0);
    Althing__SctpParameters sctp = ALTHING__SCTP_PARAMETERS__INIT;
    assert_int_equal(create_data_transport(&r, 10, "abcd", &sctp), malformed);
    sctp.streams = 1025;
    sctp.max_message_size = 262144;
    sctp.send_buffer_size = 262144;
    assert_int_equal(create_data_transport(&r, 10, "abcd", &sctp), malformed);
    sctp.streams = 1024;
    sctp.send_buffer_size = 262143;
    assert_int_equal(create_data_transport(&r, 10, "abcd", &sctp), malformed);
    sctp.send_buffer_size = 262144;
    assert_int_equal(create_data_transport(&r, 10, "abcd", &sctp), 0);

    Althing__SctpStream s = ALTHING__SCTP_STREAM__INIT;
    assert_int_equal(create_data_producer(&r, 20, NULL), malformed);
    assert_int_equal(create_data_producer(&r, 0, &s), malformed);
    s.stream_id = 1024;
    assert_int_equal(create_data_producer(&r, 20, &s), malformed);
    s.stream_id = 1;
    s.reliability_case = ALTHING__SCTP_STREAM__RELIABILITY_MAX_RETRANSMITS;
    s.max_retransmits = 65536;
    assert_int_equal(create_data_producer(&r, 20, &s), malformed);
    s.max_retransmits = 65535;
    assert_int_equal(create_data_producer(&r, 20, &s), 0);
    assert_int_equal(create_data_producer(&r, 21, &s), ALTHING__ERROR_CODE__ERROR_EXISTS);
    s.reliability_case = ALTHING__SCTP_STREAM__RELIABILITY_MAX_PACKET_LIFE_TIME;
    s.max_packet_life_time = 65536;
    assert_int_equal(create_data_consumer(&r, 30, &s), malformed);
    s.max_packet_life_time = 100;
    assert_int_equal(create_data_consumer(&r, 30, &s), 0);
    assert_int_equal(create_data_consumer(&r, 31, &s), ALTHING__ERROR_CODE__ERROR_EXISTS);
    assert_int_equal(create_data_consumer(&r, 0, &s), malformed);
    close_rig(&r);
}

static void closing_the_unknown_is_fine(void **state)
{
    (void)state;
    struct rig r;
    open_rig(&r, 65536);
    assert_int_equal(hello(&r, 1, 7), 0);
    Althing__CloseProducer close = ALTHING__CLOSE_PRODUCER__INIT;
    Althing__Request req = ALTHING__REQUEST__INIT;
    close.producer = 99;
    req.method_case = ALTHING__REQUEST__METHOD_CLOSE_PRODUCER;
    req.close_producer = &close;
    assert_int_equal(ask(&r, &req), 0);
    Althing__PauseProducer pause = ALTHING__PAUSE_PRODUCER__INIT;
    pause.producer = 99;
    req.method_case = ALTHING__REQUEST__METHOD_PAUSE_PRODUCER;
    req.pause_producer = &pause;
    assert_int_equal(ask(&r, &req), ALTHING__ERROR_CODE__ERROR_NOT_FOUND);
    Althing__Request nothing = ALTHING__REQUEST__INIT;
    assert_int_equal(ask(&r, &nothing), ALTHING__ERROR_CODE__ERROR_UNSUPPORTED);
    close_rig(&r);
}

static void garbage_ends_nothing(void **state)
{
    (void)state;
    struct rig r;
    open_rig(&r, 65536);
    assert_int_equal(hello(&r, 1, 7), 0);
    uint8_t junk[64];
    for (unsigned i = 0; i < 1000; i++) {
        for (size_t j = 0; j < sizeof(junk); j++)
            junk[j] = (uint8_t)(i * 31 + j * 17 * (i % 7));
        assert_int_equal(channel_frame(r.channel, junk, i % sizeof(junk), S_US(1)), 0);
    }
    for (Althing__Frame *f; (f = next(&r));)
        althing__frame__free_unpacked(f, NULL);
    assert_true(channel_ignored(r.channel) > 900);
    assert_int_equal(create_router(&r, 1), 0);
    close_rig(&r);
}

static void lost_events_are_told(void **state)
{
    (void)state;
    struct rig r;
    open_rig(&r, 2000);
    assert_int_equal(hello(&r, 1, 7), 0);
    struct engine_event ev = {.kind = ENGINE_SCORE, .object = 5, .score = 3};
    size_t given = 0;
    while (channel_ready(r.channel) && given < 100000) {
        channel_event(&ev, r.channel);
        given++;
    }
    assert_false(
        channel_ready(r.channel)); /* the socket is full: what follows is queued, then lost */
    for (int i = 0; i < 1000; i++)
        channel_event(&ev, r.channel);
    given += 1000;
    size_t events = 0;
    uint64_t lost = 0;
    for (int tries = 0; tries < 100000 && events + lost < given; tries++) {
        Althing__Frame *f = next(&r);
        if (!f) {
            assert_int_equal(channel_flush(r.channel), 0);
            continue;
        }
        assert_int_equal(f->body_case, ALTHING__FRAME__BODY_EVENT);
        if (f->event->kind_case == ALTHING__EVENT__KIND_RESYNC)
            lost += f->event->resync->lost;
        else
            events++;
        althing__frame__free_unpacked(f, NULL);
    }
    assert_true(lost > 500);
    assert_int_equal(events + lost, given);
    assert_true(channel_ready(r.channel));
    close_rig(&r);
}

/* A new server that takes over finds all of it, page by page. */
static void a_new_server_may_take_over(void **state)
{
    (void)state;
    struct rig r;
    open_rig(&r, 65536);
    assert_int_equal(hello(&r, 1, 7), 0);
    for (uint64_t id = 1; id <= 300; id++)
        assert_int_equal(create_router(&r, id), 0);
    assert_int_equal(create_transport(&r, 300, 301, "ufrag", PASSWORD), 0);
    r.epoch = 8;
    Althing__Hello m = ALTHING__HELLO__INIT;
    Althing__Request req = ALTHING__REQUEST__INIT;
    m.version = 1;
    m.epoch = 8;
    m.keep = true;
    req.method_case = ALTHING__REQUEST__METHOD_HELLO;
    req.hello = &m;
    assert_int_equal(ask(&r, &req), 0);
    Althing__ListObjects list = ALTHING__LIST_OBJECTS__INIT;
    req.method_case = ALTHING__REQUEST__METHOD_LIST_OBJECTS;
    req.list_objects = &list;
    list.kind = ALTHING__OBJECT_KIND__OBJECT_ROUTER;
    uint64_t found = 0;
    for (bool more = true; more;) {
        give(&r, &req);
        Althing__Frame *f = next(&r);
        assert_int_equal(f->reply->result_case, ALTHING__REPLY__RESULT_OBJECT_LIST);
        for (size_t i = 0; i < f->reply->object_list->n_handles; i++)
            assert_int_equal(f->reply->object_list->handles[i], ++found);
        more = f->reply->object_list->more;
        list.after = found;
        althing__frame__free_unpacked(f, NULL);
    }
    assert_int_equal(found, 300);
    list.kind = ALTHING__OBJECT_KIND__OBJECT_TRANSPORT;
    list.after = 0;
    give(&r, &req);
    for (unsigned i = 0; i < 2; i++) { /* its states, in the new epoch */
        Althing__Frame *f = next(&r);
        assert_int_equal(f->body_case, ALTHING__FRAME__BODY_EVENT);
        assert_int_equal(f->epoch, 8);
        althing__frame__free_unpacked(f, NULL);
    }
    Althing__Frame *f = next(&r);
    assert_int_equal(f->reply->object_list->n_handles, 1);
    althing__frame__free_unpacked(f, NULL);
    list.after = 5;
    assert_int_equal(ask(&r, &req), ALTHING__ERROR_CODE__ERROR_NOT_FOUND);
    list.kind = ALTHING__OBJECT_KIND__OBJECT_UNSPECIFIED;
    assert_int_equal(ask(&r, &req), ALTHING__ERROR_CODE__ERROR_MALFORMED);
    close_rig(&r);
}

static void the_server_goes(void **state)
{
    (void)state;
    struct rig r;
    open_rig(&r, 65536);
    assert_int_equal(hello(&r, 1, 7), 0);
    chan_free(r.server);
    r.server = NULL;
    struct engine_event ev = {.kind = ENGINE_ICE_STATE, .object = 5};
    channel_event(&ev, r.channel);
    Althing__Request req = ALTHING__REQUEST__INIT;
    Althing__Frame f = ALTHING__FRAME__INIT;
    f.epoch = 7;
    f.body_case = ALTHING__FRAME__BODY_REQUEST;
    f.request = &req;
    assert_int_equal(channel_frame(r.channel, r.buf, althing__frame__pack(&f, r.buf), 0), -EPIPE);
    close_rig(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hello_and_its_epochs),       cmocka_unit_test(hello_tells_fingerprints),
        cmocka_unit_test(transports_are_checked),     cmocka_unit_test(producers_are_checked),
        cmocka_unit_test(consumers_are_checked),      cmocka_unit_test(closing_the_unknown_is_fine),
        cmocka_unit_test(garbage_ends_nothing),       cmocka_unit_test(lost_events_are_told),
        cmocka_unit_test(a_new_server_may_take_over), cmocka_unit_test(the_server_goes),
        cmocka_unit_test(data_channels_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
