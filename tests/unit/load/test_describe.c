/* What a peer says is held against the server's own negotiation; what the server says may be anything. */
#include "tests/unit/check.h"

#include "load/describe.h"
#include "server/ortc/ortc.h"

#include <stdlib.h>
#include <string.h>

static json_t *router(void)
{
    struct ortc_error error;
    json_t *codecs = ortc_default_codecs();
    json_t *caps = ortc_router_capabilities(codecs, &error);
    json_decref(codecs);
    assert_non_null(caps);
    return caps;
}

static void the_server_takes_what_a_peer_sends(void **state)
{
    (void)state;
    json_t *caps = router();
    for (int media = 0; media < MEDIA_COUNT; media++) {
        struct describe_sending d = {
            .media = (enum media)media, .mid = "0", .ssrcs = {11, 12, 13}, .n = media ? 3 : 1};
        struct ortc_error error;
        json_t *params = describe_sending(&d, caps);
        assert_non_null(params);
        assert_int_equal(ortc_check_parameters(params, &error), 0);
        json_t *mapping = ortc_producer_mapping(params, caps, 1000, &error);
        assert_non_null(mapping);
        assert_int_equal(json_array_size(json_object_get(mapping, "encodings")), d.n);
        assert_true(d.payload_type >= 96);
        assert_true(d.exts.id_of[RTP_EXT_MID] > 0);
        assert_true(media || d.exts.id_of[RTP_EXT_AUDIO_LEVEL] > 0);
        json_decref(mapping);
        json_decref(params);
    }
    for (int congestion = 0; congestion < 2; congestion++) {
        struct ortc_error error;
        json_t *receiving = describe_capabilities(caps, congestion);
        char *text = json_dumps(receiving, 0);
        assert_int_equal(json_array_size(json_object_get(receiving, "codecs")), 3); /* with RTX */
        assert_int_equal(ortc_check_capabilities(receiving, &error), 0);
        assert_int_equal(strstr(text, "transport-") != NULL, congestion);
        assert_int_equal(strstr(text, "goog-remb") != NULL, congestion);
        free(text);
        json_decref(receiving);
    }
    json_decref(caps);
}

static void a_router_without_the_codec(void **state)
{
    (void)state;
    struct describe_sending d = {.media = MEDIA_VIDEO, .mid = "0", .ssrcs = {1}, .n = 1};
    json_t *caps = json_loads("{\"codecs\":[{\"mimeType\":\"audio/opus\"},4]}", 0, NULL);
    assert_null(describe_sending(&d, caps));
    assert_null(describe_sending(&d, NULL));
    json_decref(describe_capabilities(caps, false));
    json_decref(describe_capabilities(NULL, false));
    json_decref(caps);
}

#define ICE "\"iceParameters\":{\"usernameFragment\":\"u\",\"password\":\"p\"}"
#define UDP "{\"protocol\":\"udp\",\"ip\":\"127.0.0.1\",\"port\":40000}"
#define TCP "{\"protocol\":\"tcp\",\"ip\":\"127.0.0.1\",\"port\":40000}"
#define BAD "{\"protocol\":\"udp\",\"ip\":\"host\",\"port\":40000}"
#define FAR "{\"protocol\":\"udp\",\"ip\":\"127.0.0.1\",\"port\":70000}"
#define SUM "\"dtlsParameters\":{\"fingerprints\":[{\"algorithm\":\"sha-256\",\"value\":\"AB\"}]}"

static void transports_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        bool good;
    } rows[] = {
        {"{\"id\":\"t\"," ICE ",\"iceCandidates\":[" TCP "," BAD "," FAR "," UDP "]," SUM "}",
         true},
        {"{\"id\":\"\"," ICE ",\"iceCandidates\":[" UDP "]," SUM "}", false},
        {"{\"id\":\"t\",\"iceCandidates\":[" UDP "]," SUM "}", false},
        {"{\"id\":\"t\"," ICE ",\"iceCandidates\":[" TCP "]," SUM "}", false},
        {"{\"id\":\"t\"," ICE ",\"iceCandidates\":{}," SUM "}", false},
        {"{\"id\":\"t\"," ICE ",\"iceCandidates\":[" UDP "]}", false},
        {"[]", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct link_remote r;
        char id[DESCRIBE_ID_MAX];
        json_t *j = json_loads(rows[i].json, 0, NULL);
        const char *missing = describe_transport(j, id, &r);
        if (!missing != rows[i].good)
            fail_msg("%s: %s", rows[i].json, missing ? missing : "taken");
        if (rows[i].good)
            assert_int_equal(r.addr.port, 40000);
        json_decref(j);
    }
}

static void consumers_are_read(void **state)
{
    (void)state;
    struct describe_consumer c;
    json_t *j = json_loads(
        "{\"id\":\"c\",\"producerId\":\"p\",\"kind\":\"video\",\"rtpParameters\":{\"codecs\":[{"
        "\"payloadType\":101}],\"encodings\":[{\"ssrc\":4294967295,\"rtx\":{\"ssrc\":9}}],"
        "\"headerExtensions\":[{\"uri\":\"urn:ietf:params:rtp-hdrext:sdes:mid\",\"id\":3}]}}",
        0, NULL);
    assert_null(describe_consumer(j, &c));
    assert_int_equal(c.ssrc, 4294967295);
    assert_int_equal(c.rtx_ssrc, 9);
    assert_int_equal(c.payload_type, 101);
    assert_int_equal(c.media, MEDIA_VIDEO);
    assert_int_equal(c.exts.id_of[RTP_EXT_MID], 3);
    json_object_set_new(j, "kind", json_string("smell"));
    assert_non_null(describe_consumer(j, &c));
    json_object_set_new(j, "kind", json_string("audio"));
    json_object_del(j, "rtpParameters");
    assert_non_null(describe_consumer(j, &c));
    json_decref(j);
    assert_non_null(describe_consumer(NULL, &c));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_server_takes_what_a_peer_sends),
        cmocka_unit_test(a_router_without_the_codec),
        cmocka_unit_test(transports_are_read),
        cmocka_unit_test(consumers_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
