#include "tests/interop/worker/call.h"

#include "tests/unit/check.h"

#include <stdio.h>
#include <string.h>

#define CONNECT_MS 10000
#define WAIT_MS    5000
#define PASSWORD   "apasswordofagoodlength1234"
#define TIMESTAMP  960 /* of 20 ms */

static void put32(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 24);
    p[1] = (uint8_t)(v >> 16);
    p[2] = (uint8_t)(v >> 8);
    p[3] = (uint8_t)v;
}

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void fill(uint8_t *payload, uint32_t number)
{
    payload[0] = 0xfc; /* a full-band CELT frame: not DTX */
    put32(payload + 1, number);
    for (uint32_t i = 5; i < CALL_PAYLOAD; i++)
        payload[i] = (uint8_t)(number * 31 + i);
}

size_t call_packet(struct call *c, uint8_t pkt[static CALL_RTP_HEADER + CALL_PAYLOAD])
{
    uint32_t number = (uint32_t)c->sent++;
    pkt[0] = 0x80;
    pkt[1] = CALL_PT_IN;
    pkt[2] = (uint8_t)(c->next_seq >> 8);
    pkt[3] = (uint8_t)c->next_seq++;
    put32(pkt + 4, number * TIMESTAMP);
    put32(pkt + 8, CALL_SSRC_IN);
    fill(pkt + CALL_RTP_HEADER, number);
    return CALL_RTP_HEADER + CALL_PAYLOAD;
}

static void on_rtp(struct browser *p, const uint8_t *pkt, size_t len, void *arg)
{
    struct call *c = arg;
    uint8_t want[CALL_PAYLOAD];
    (void)p;
    size_t extension = pkt[0] & 0x10 ? 4 + 4 * ((size_t)pkt[14] << 8 | pkt[15]) : 0;
    const uint8_t *payload = pkt + CALL_RTP_HEADER + extension;
    if (len != CALL_RTP_HEADER + extension + CALL_PAYLOAD || (pkt[1] & 0x7f) != CALL_PT_OUT ||
        get32(pkt + 8) != CALL_SSRC_OUT) {
        c->strange++;
        return;
    }
    uint32_t number = get32(payload + 1);
    uint16_t seq = (uint16_t)(pkt[2] << 8 | pkt[3]);
    fill(want, number);
    if (memcmp(want, payload, CALL_PAYLOAD) != 0 || number >= CALL_PACKETS_MAX ||
        (c->seen[number / 8] >> number % 8 & 1) ||
        (c->received && seq != (uint16_t)(c->last_seq + 1)))
        c->strange++;
    else
        c->seen[number / 8] |= (uint8_t)(1 << number % 8);
    c->last_seq = seq;
    c->received++;
}

static void on_rtcp(struct browser *p, const uint8_t *pkt, size_t len, void *arg)
{
    struct call *c = arg;
    (void)pkt;
    (void)len;
    c->feedback = c->feedback || p == c->sender;
}

void call_start(struct call *c)
{
    memset(c, 0, sizeof(*c));
    c->next_seq = 1000;
    harness_start(&c->h);
    harness_router(&c->h, CALL_ROUTER);
}

struct browser *call_peer(struct call *c, uint64_t transport, const struct call_side *side)
{
    char ufrag[32];
    snprintf(ufrag, sizeof(ufrag), "fragment%u", (unsigned)transport);
    struct browser *p =
        browser_new(&(struct browser_config){.local_ip = side->ip,
                                             .profiles = side->profiles ? side->profiles : CALL_GCM,
                                             .tcp = side->tcp,
                                             .dtls_server = side->dtls_server,
                                             .hello_pieces = side->hello_pieces,
                                             .rtp = on_rtp,
                                             .rtcp = on_rtcp,
                                             .arg = c});
    harness_transport(&c->h, CALL_ROUTER, transport, ufrag, PASSWORD);
    harness_connect(&c->h, transport,
                    side->dtls_server ? ALTHING__DTLS_ROLE__DTLS_ROLE_SERVER
                                      : ALTHING__DTLS_ROLE__DTLS_ROLE_CLIENT,
                    browser_fingerprint(p));
    browser_connect(p, ufrag, PASSWORD, side->ip, c->h.port, c->h.fingerprint);
    return p;
}

void call_connect(struct call *c, const struct call_side *sender, const struct call_side *receiver)
{
    c->sender = call_peer(c, CALL_SENDER, sender);
    c->receiver = call_peer(c, CALL_RECEIVER, receiver);
    assert_true(browser_wait(c->sender, CONNECT_MS));
    assert_true(browser_wait(c->receiver, CONNECT_MS));
    harness_events(&c->h, 100);
}

static void opus(Althing__Codec *codec, uint32_t payload_type)
{
    codec->type = ALTHING__CODEC_TYPE__CODEC_OPUS;
    codec->payload_type = payload_type;
    codec->clock_rate = 48000;
    codec->mime_subtype = (char *)(uintptr_t) "opus";
}

void call_produce(struct call *c)
{
    Althing__Codec in = ALTHING__CODEC__INIT, out = ALTHING__CODEC__INIT, *in_list = &in;
    Althing__Encoding encoding = ALTHING__ENCODING__INIT, *encodings = &encoding;
    Althing__CodecMapping mapping = ALTHING__CODEC_MAPPING__INIT, *mappings = &mapping;
    Althing__CreateProducer p = ALTHING__CREATE_PRODUCER__INIT;
    Althing__CreateConsumer s = ALTHING__CREATE_CONSUMER__INIT;
    Althing__Request r = ALTHING__REQUEST__INIT;
    opus(&in, CALL_PT_IN);
    opus(&out, CALL_PT_OUT);
    encoding.ssrc = CALL_SSRC_IN;
    p.transport = CALL_SENDER;
    p.producer = CALL_PRODUCER;
    p.kind = ALTHING__KIND__KIND_AUDIO;
    p.n_codecs = 1;
    p.codecs = &in_list;
    p.n_encodings = 1;
    p.encodings = &encodings;
    p.mid = (char *)(uintptr_t) "0";
    p.cname = (char *)(uintptr_t) "sender";
    r.method_case = ALTHING__REQUEST__METHOD_CREATE_PRODUCER;
    r.create_producer = &p;
    assert_int_equal(harness_request(&c->h, &r), 0);

    mapping.producer_payload_type = CALL_PT_IN;
    mapping.codec = &out;
    s.transport = CALL_RECEIVER;
    s.consumer = CALL_CONSUMER;
    s.producer = CALL_PRODUCER;
    s.n_codecs = 1;
    s.codecs = &mappings;
    s.ssrc = CALL_SSRC_OUT;
    s.mid = (char *)(uintptr_t) "0";
    s.cname = (char *)(uintptr_t) "sender";
    r.method_case = ALTHING__REQUEST__METHOD_CREATE_CONSUMER;
    r.create_consumer = &s;
    assert_int_equal(harness_request(&c->h, &r), 0);
}

void call_wait(struct call *c, uint64_t received)
{
    browser_run(WAIT_MS, &c->received, received);
}

void call_send(struct call *c, unsigned n)
{
    uint64_t want = c->received + n;
    for (unsigned i = 0; i < n; i++) {
        uint8_t pkt[CALL_RTP_HEADER + CALL_PAYLOAD];
        browser_send_rtp(c->sender, pkt, call_packet(c, pkt));
        if (i % 8 == 7)
            browser_run(1, NULL, 0);
    }
    call_wait(c, want);
}

void call_stop(struct call *c)
{
    browser_free(c->sender);
    browser_free(c->receiver);
    harness_stop(&c->h);
}
