/* A room of many peers over two real workers, placed and piped by the server's own code: everyone hears everyone, while peers come and
 * go. The browsers' signalling is pretended (tests/unit/server/world.h), their media is not. */
#include "lib/clock.h"
#include "tests/interop/worker/harness.h"
#include "tests/interop/worker/peer.h"
#include "tests/unit/check.h"
#include "tests/unit/server/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PEERS    60
#define LEAVE    12 /* of them, and as many come */
#define MEMBERS  (PEERS + LEAVE)
#define PAYLOAD  40
#define ROUND_MS 10000
#define ASK_MS   10000
#define PACKETS  400 /* of a round, at most; 20 ms each */
#define IP       "127.0.0.1"

struct member {
    bool here;
    size_t index;
    struct edge_session *session;
    struct browser *send, *recv;
    char prints[2][128]; /* the server's, which they borrow */
    uint32_t ssrc;
    uint16_t seq;
    uint32_t from[1024];     /* by the low bits of an SSRC: the sender's index plus one */
    uint32_t heard[MEMBERS]; /* the last round of each */
};

static struct world w;
static struct harness workers[2];
static struct member members[MEMBERS];
static uint64_t missing; /* pairs of this round, counted down */
static uint32_t round_now;
static uint64_t strange;

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void put32(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 24);
    p[1] = (uint8_t)(v >> 16);
    p[2] = (uint8_t)(v >> 8);
    p[3] = (uint8_t)v;
}

static const char *str(const json_t *o, const char *key)
{
    return json_string_value(json_object_get(o, key));
}

/* ---- media ---- */

static void on_rtp(struct browser *p, const uint8_t *pkt, size_t len, void *arg)
{
    struct member *m = arg;
    (void)p;
    size_t extension = pkt[0] & 0x10 ? 4 + 4 * ((size_t)pkt[14] << 8 | pkt[15]) : 0;
    const uint8_t *payload = pkt + 12 + extension;
    uint32_t from = m->from[get32(pkt + 8) % 1024];
    if (len != 12 + extension + PAYLOAD || !from || get32(payload + 1) != from - 1) {
        strange++;
        return;
    }
    if (get32(payload + 5) == round_now && m->heard[from - 1] != round_now) {
        m->heard[from - 1] = round_now;
        missing--;
    }
}

static void say(struct member *m)
{
    uint8_t pkt[12 + PAYLOAD] = {0x80, 111};
    pkt[2] = (uint8_t)(m->seq >> 8);
    pkt[3] = (uint8_t)m->seq;
    put32(pkt + 4, m->seq++ * 960u);
    put32(pkt + 8, m->ssrc);
    pkt[12] = 0xfc;
    put32(pkt + 13, (uint32_t)m->index);
    put32(pkt + 17, round_now);
    browser_send_rtp(m->send, pkt, sizeof(pkt));
}

/* ---- signalling ---- */

static void turn(unsigned ms)
{
    browser_run(ms, NULL, 0);
    uv_run(&w.loop, UV_RUN_NOWAIT);
    hub_tick(&w.hub, clock_now_us());
}

static const json_t *ask(struct edge_session *s, const char *method, json_t *data)
{
    int64_t end = clock_now_us() + MS_US(ASK_MS);
    uint64_t ack = world_request(&w, s, method, data);
    while (!world_answers(s, ack) && clock_now_us() < end)
        turn(1);
    for (size_t i = json_array_size(s->sent); i-- > 0;) {
        const json_t *one = json_array_get(s->sent, i);
        if (json_integer_value(json_array_get(one, 2)) == (json_int_t)ack) {
            assert_string_equal(json_string_value(json_array_get(one, 0)), "ack");
            return json_array_get(one, 1);
        }
    }
    fail_msg("no answer to %s", method);
    return NULL;
}

static struct browser *open_transport(struct member *m, bool producing)
{
    struct browser *p = browser_new(&(struct browser_config){.local_ip = IP,
                                                             .profiles = "SRTP_AEAD_AES_128_GCM",
                                                             .rtp = producing ? NULL : on_rtp,
                                                             .arg = m});
    const json_t *t = ask(m->session, "createWebRtcTransport",
                          json_pack("{sb, sb}", "producing", producing, "consuming", !producing));
    const json_t *ice = json_object_get(t, "iceParameters");
    const json_t *candidate = json_array_get(json_object_get(t, "iceCandidates"), 0);
    const json_t *prints = json_object_get(json_object_get(t, "dtlsParameters"), "fingerprints");
    char *print = m->prints[producing];
    for (size_t i = 0; i < json_array_size(prints); i++) {
        if (!strcmp(str(json_array_get(prints, i), "algorithm"), "sha-256"))
            snprintf(print, sizeof(m->prints[0]), "%s", str(json_array_get(prints, i), "value"));
    }
    assert_true(*print);
    char *ufrag = strdup(str(ice, "usernameFragment")), *password = strdup(str(ice, "password"));
    ask(m->session, "connectWebRtcTransport",
        json_pack("{ss, s{ss, s[{ssss}]}}", "transportId", str(t, "id"), "dtlsParameters", "role",
                  "client", "fingerprints", "algorithm", "sha-256", "value",
                  browser_fingerprint(p)));
    browser_connect(p, ufrag, password, IP,
                    (uint16_t)json_integer_value(json_object_get(candidate, "port")), print);
    bool done = false;
    for (int64_t end = clock_now_us() + MS_US(ASK_MS); !done && clock_now_us() < end;) {
        done = browser_wait(p, 5);
        turn(0);
    }
    assert_true(done);
    free(ufrag);
    free(password);
    return p;
}

static void come(size_t index)
{
    struct member *m = &members[index];
    char name[16];
    memset(m, 0, sizeof(*m));
    snprintf(name, sizeof(name), "peer%zu", index);
    m->index = index;
    m->session = world_connect(&w, "hall", name, name);
    world_capable(&w, m->session);
    ask(m->session, "join", json_pack("{ss}", "displayName", name));
    m->send = open_transport(m, true);
    m->recv = open_transport(m, false);
    json_t *mic = world_produce_data(m->session, "mic");
    const json_t *encoding =
        json_array_get(json_object_get(json_object_get(mic, "rtpParameters"), "encodings"), 0);
    m->ssrc = (uint32_t)json_integer_value(json_object_get(encoding, "ssrc"));
    m->here = true;
    ask(m->session, "produce", mic);
}

static void go(size_t index)
{
    struct member *m = &members[index];
    m->here = false;
    world_close(&w, m->session, EDGE_TRANSPORT_CLOSED);
    browser_free(m->send);
    browser_free(m->recv);
    m->send = m->recv = NULL;
}

/* What the browser was told: which stream is whose. */
static void learn(struct member *m)
{
    for (size_t i = 0; i < json_array_size(m->session->sent); i++) {
        const json_t *one = json_array_get(m->session->sent, i), *c = json_array_get(one, 1);
        if (strcmp(json_string_value(json_array_get(one, 0)), "newConsumer") != 0)
            continue;
        const json_t *e =
            json_array_get(json_object_get(json_object_get(c, "rtpParameters"), "encodings"), 0);
        uint32_t ssrc = (uint32_t)json_integer_value(json_object_get(e, "ssrc"));
        m->from[ssrc % 1024] = (uint32_t)atoi(str(c, "peerId") + 4) + 1;
    }
}

static size_t count_here(void)
{
    size_t n = 0;
    for (size_t i = 0; i < MEMBERS; i++)
        n += members[i].here;
    return n;
}

/* Everybody speaks until everybody was heard by everybody else. */
static void check_matrix(size_t n)
{
    int64_t end = clock_now_us() + MS_US(ROUND_MS);
    assert_int_equal(count_here(), n);
    for (size_t i = 0; i < 20; i++)
        turn(5);
    for (size_t i = 0; i < MEMBERS; i++) {
        if (members[i].here)
            learn(&members[i]);
    }
    round_now++;
    missing = n * (n - 1);
    for (unsigned k = 0; k < PACKETS && missing && clock_now_us() < end; k++) {
        for (size_t i = 0; i < MEMBERS; i++) {
            if (members[i].here)
                say(&members[i]);
        }
        turn(20);
    }
    for (size_t i = 0; missing && i < MEMBERS; i++) {
        for (size_t j = 0; j < MEMBERS; j++) {
            if (i != j && members[i].here && members[j].here && members[i].heard[j] != round_now)
                print_message("%zu does not hear %zu\n", i, j);
        }
    }
    assert_int_equal(missing, 0);
    assert_int_equal(strange, 0);
}

static size_t on_worker(uint32_t index)
{
    size_t n = 0;
    for (size_t i = 0; i < MEMBERS; i++) {
        if (members[i].here)
            n += media_worker_index(media_router_worker(world_peer(members[i].session)->media)) ==
                 index;
    }
    return n;
}

static void grace_is_over(void)
{
    hub_tick(&w.hub, clock_now_us() + S_US(GRACE_S) + 1000000);
    for (unsigned i = 0; i < 20; i++)
        turn(5);
}

static void everyone_hears_everyone(void **state)
{
    (void)state;
    world_init(&w, 0);
    media_set_bounds(w.media, &(struct media_bounds){.peers = PEERS / 2});
    for (uint32_t i = 0; i < 2; i++) {
        int counters = harness_spawn(&workers[i]);
        struct handoff h = {HANDOFF_VERSION, HANDOFF_WORKER_UP, i, workers[i].pid, i + 1, 2, 1};
        strcpy(h.candidates[0].address, IP);
        h.candidates[0].port = workers[i].port;
        assert_int_equal(media_worker_up(w.media, &h, workers[i].channel, counters), 0);
        workers[i].channel = -1;
    }
    while (!media_ready(w.media) || !media_worker_answers(media_worker_at(w.media, 1)) ||
           !media_worker_answers(media_worker_at(w.media, 0)))
        turn(1);
    for (size_t i = 0; i < PEERS; i++)
        come(i);
    assert_int_equal(on_worker(0), PEERS / 2);
    assert_int_equal(on_worker(1), PEERS / 2);
    struct pipes *pipes = spread_pipes(world_peer(members[0].session)->room->spread);
    assert_int_equal(pipes_count(pipes), PEERS);
    check_matrix(PEERS);

    for (size_t i = 0; i < LEAVE; i++)
        go(i * PEERS / LEAVE);
    grace_is_over();
    assert_int_equal(pipes_count(pipes), PEERS - LEAVE);
    check_matrix(PEERS - LEAVE);
    for (size_t i = PEERS; i < MEMBERS; i++)
        come(i);
    check_matrix(PEERS);

    for (size_t i = 0; i < MEMBERS; i++) { /* the room shrinks to one worker */
        if (members[i].here &&
            media_worker_index(media_router_worker(world_peer(members[i].session)->media)) == 1)
            go(i);
    }
    grace_is_over();
    assert_int_equal(on_worker(1), 0);
    assert_int_equal(pipes_count(pipes), 0);
    check_matrix(count_here());
    for (size_t i = 0; i < MEMBERS; i++) {
        if (members[i].here)
            go(i);
    }
    world_free(&w);
    for (size_t i = 0; i < 2; i++)
        harness_stop(&workers[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(everyone_hears_everyone)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
