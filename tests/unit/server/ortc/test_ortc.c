#include "server/ortc/ortc.h"
#include "server/ortc/to_worker.h"
#include "tests/unit/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *router;

static int setup(void **state)
{
    (void)state;
    json_t *codecs = ortc_default_codecs();
    router = ortc_router_capabilities(codecs, NULL);
    json_decref(codecs);
    return router ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    json_decref(router);
    return 0;
}

/* Single quotes stand for double ones. */
static json_t *parse(const char *text)
{
    char *copy = strdup(text);
    for (char *p = copy; *p; p++) {
        if (*p == '\'')
            *p = '"';
    }
    json_error_t error;
    json_t *v = json_loads(copy, JSON_DECODE_ANY, &error);
    if (!v)
        fail_msg("%s in %s", error.text, text);
    free(copy);
    return v;
}

static void gives_a_router_its_payload_types(void **state)
{
    (void)state;
    static const struct {
        const char *mime;
        int pt, apt;
    } rows[] = {
        {"audio/opus", 100, -1}, {"video/VP8", 101, -1},  {"video/rtx", 102, 101},
        {"video/VP9", 103, -1},  {"video/rtx", 104, 103}, {"video/VP9", 105, -1},
        {"video/rtx", 106, 105}, {"video/H264", 107, -1}, {"video/rtx", 108, 107},
        {"video/H264", 109, -1}, {"video/rtx", 110, 109}, {"video/AV1", 111, -1},
        {"video/rtx", 112, 111},
    };
    const json_t *codecs = json_object_get(router, "codecs");
    assert_int_equal(json_array_size(codecs), ARRAY_LEN(rows));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const json_t *c = json_array_get(codecs, i);
        const json_t *apt = json_object_get(json_object_get(c, "parameters"), "apt");
        assert_string_equal(json_string_value(json_object_get(c, "mimeType")), rows[i].mime);
        assert_int_equal(json_integer_value(json_object_get(c, "preferredPayloadType")),
                         rows[i].pt);
        assert_int_equal(apt ? json_integer_value(apt) : -1, rows[i].apt);
    }
}

static void says_why_it_refuses(void **state)
{
    (void)state;
    static const struct {
        const char *params, *reason;
    } rows[] = {
        {"[]", "parameters are not an object"},
        {"{}", "codecs is missing or not an array"},
        {"{'codecs':[1]}", "codecs has an element that is not an object"},
        {"{'codecs':[{}]}", "mimeType is missing or not a string"},
        {"{'codecs':[{'mimeType':'text/x'}]}", "mimeType is neither audio/ nor video/"},
        {"{'codecs':[{'mimeType':'audio/a b'}]}", "mimeType is neither audio/ nor video/"},
        {"{'codecs':[{'mimeType':'video/VP8'}]}", "clockRate is missing or not a number"},
        {"{'codecs':[{'mimeType':'video/VP8','clockRate':1e300}]}", "clockRate is out of range"},
        {"{'codecs':[{'mimeType':'video/VP8','clockRate':90000,'payloadType':128}]}",
         "payloadType is out of range"},
        {"{'codecs':[{'mimeType':'video/VP8','clockRate':90000.5,'payloadType':1}]}",
         "clockRate is not a whole number"},
        {"{'codecs':[],'headerExtensions':[{'uri':'x','id':0}]}", "id is out of range"},
        {"{'codecs':[],'encodings':[{},{},{},{},{}]}", "encodings has more than 4 elements"},
        {"{'codecs':[],'encodings':[{'ssrc':1},{'ssrc':1}]}", "ssrc 1 is there twice"},
        {"{'codecs':[],'encodings':[{'rid':'a'},{'rid':'a'}]}", "rid a is there twice"},
        {"{'codecs':[],'encodings':[{'rid':'a b'}]}",
         "rid has a character other than letters, digits, - and _"},
        {"{'codecs':[],'encodings':[{'ssrc':4294967296}]}", "ssrc is out of range"},
        {"{'codecs':[],'mid':'a\\u0001'}", "mid has a control character"},
        {"{'codecs':[],'x':[[[[[[[[[]]]]]]]]]}", "too many or too deeply nested values"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct ortc_error error = {""};
        json_t *params = parse(rows[i].params);
        assert_true(ortc_check_parameters(params, &error) < 0);
        assert_string_equal(error.text, rows[i].reason);
        json_decref(params);
    }
}

static const char simulcast[] =
    "{'mid':'0','codecs':[{'mimeType':'video/VP8','payloadType':96,'clockRate':90000,"
    "'rtcpFeedback':[{'type':'nack'},{'type':'nack','parameter':'pli'},{'type':'transport-cc'}]},"
    "{'mimeType':'video/rtx','payloadType':97,'clockRate':90000,'parameters':{'apt':96}}],"
    "'headerExtensions':[{'uri':'urn:ietf:params:rtp-hdrext:sdes:mid','id':4},"
    "{'uri':'urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id','id':10},{'uri':'unknown','id':11}],"
    "'encodings':[{'rid':'r0','scalabilityMode':'L1T3','maxBitrate':150000},"
    "{'rid':'r1','scalabilityMode':'L1T3'},{'rid':'r2','scalabilityMode':'L1T3',"
    "'maxBitrate':9e12}],'rtcp':{'cname':''}}";

static void tells_the_worker_of_a_producer(void **state)
{
    (void)state;
    struct ortc_error error = {""};
    json_t *params = parse(simulcast);
    assert_int_equal(ortc_check_parameters(params, &error), 0);
    ortc_complete_parameters(params, "the-cname");
    struct ortc_create_producer *p = ortc_create_producer("video", params, &error);
    assert_non_null(p);
    assert_int_equal(p->msg.kind, ALTHING__KIND__KIND_VIDEO);
    assert_string_equal(p->msg.mid, "0");
    assert_string_equal(p->msg.cname, "the-cname");
    assert_int_equal(p->msg.n_codecs, 1);
    const Althing__Codec *c = p->msg.codecs[0];
    assert_int_equal(c->type, ALTHING__CODEC_TYPE__CODEC_VP8);
    assert_int_equal(c->payload_type, 96);
    assert_int_equal(c->rtx_payload_type, 97);
    assert_true(c->has_rtx && c->nack && c->pli && c->transport_cc && !c->fir && !c->remb);
    assert_string_equal(c->mime_subtype, "VP8");
    assert_int_equal(p->msg.n_extensions, 2);
    assert_int_equal(p->msg.extensions[1]->type, ALTHING__EXTENSION_TYPE__EXTENSION_RID);
    assert_int_equal(p->msg.extensions[1]->id, 10);
    assert_int_equal(p->msg.n_encodings, 3);
    assert_string_equal(p->msg.encodings[1]->rid, "r1");
    assert_int_equal(p->msg.encodings[0]->temporal_layers, 3);
    assert_int_equal(p->msg.encodings[0]->max_bitrate, 150000);
    assert_int_equal(p->msg.encodings[2]->max_bitrate, UINT32_MAX);
    ortc_create_producer_free(p);
    assert_null(ortc_create_producer("audio", params, &error));
    assert_string_equal(error.text, "codec video/VP8 is not of kind audio");
    json_decref(params);
}

static void refuses_a_producer_that_nothing_tells_apart(void **state)
{
    (void)state;
    struct ortc_error error = {""};
    json_t *params = parse("{'codecs':[{'mimeType':'audio/opus','payloadType':111,"
                           "'clockRate':48000,'channels':2,'parameters':{'usedtx':1}}]}");
    assert_int_equal(ortc_check_parameters(params, &error), 0);
    ortc_complete_parameters(params, NULL);
    assert_null(ortc_create_producer("audio", params, &error));
    assert_string_equal(error.text, "an encoding has neither ssrc nor rid");
    json_object_set_new(params, "mid", json_string("1"));
    struct ortc_create_producer *p = ortc_create_producer("audio", params, &error);
    assert_non_null(p);
    assert_true(p->msg.codecs[0]->use_dtx);
    ortc_create_producer_free(p);
    json_decref(params);
}

static void tells_the_worker_of_a_consumer(void **state)
{
    (void)state;
    struct ortc_error error = {""};
    json_t *params = parse(simulcast), *caps = json_deep_copy(router);
    assert_int_equal(ortc_check_parameters(params, &error), 0);
    assert_int_equal(ortc_check_capabilities(caps, &error), 0);
    json_t *mapping = ortc_producer_mapping(params, router, 1, &error);
    assert_non_null(mapping);
    json_t *consumable = ortc_consumable("video", params, router, mapping, &error);
    assert_non_null(consumable);
    assert_true(ortc_can_consume(consumable, caps));
    const struct ortc_consumer_options options = {.ssrc = 5, .rtx_ssrc = 6, .enable_rtx = true};
    json_t *answer = ortc_consumer_parameters(consumable, caps, &options, &error);
    assert_non_null(answer);
    json_object_set_new(answer, "mid", json_string("7"));
    struct ortc_create_consumer *c = ortc_create_consumer(answer, mapping, &error);
    assert_non_null(c);
    assert_int_equal(c->msg.ssrc, 5);
    assert_int_equal(c->msg.rtx_ssrc, 6);
    assert_string_equal(c->msg.mid, "7");
    assert_int_equal(c->msg.n_codecs, 1);
    assert_int_equal(c->msg.codecs[0]->producer_payload_type, 96);
    assert_int_equal(c->msg.codecs[0]->codec->payload_type, 101);
    assert_int_equal(c->msg.codecs[0]->codec->rtx_payload_type, 102);
    assert_true(c->msg.codecs[0]->codec->transport_cc && !c->msg.codecs[0]->codec->remb);
    assert_true(c->msg.n_extensions >= 3);
    ortc_create_consumer_free(c);

    json_t *nothing = parse("{'codecs':[{'mimeType':'video/rtx','clockRate':90000,"
                            "'parameters':{'apt':1}}]}");
    assert_int_equal(ortc_check_capabilities(nothing, &error), 0);
    assert_false(ortc_can_consume(consumable, nothing));
    assert_null(ortc_consumer_parameters(consumable, nothing, &options, &error));
    assert_string_equal(error.text, "the receiver has none of the codecs");
    json_decref(nothing);
    json_decref(answer);
    json_decref(consumable);
    json_decref(mapping);
    json_decref(caps);
    json_decref(params);
}

/* Unequal levels and no asymmetry: the lower one; asymmetry: one's own. */
static void answers_h264_levels(void **state)
{
    (void)state;
    static const struct {
        const char *given;
        int asymmetry;
        const char *answer;
    } rows[] = {
        {"42e034", 0, "42e01f"}, {"42e034", 1, "42e034"}, {"42e00d", 0, "42e00d"},
        {"42f00b", 0, "42f00b"}, {"4d001f", 0, "4d001f"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char text[256];
        struct ortc_error error = {""};
        snprintf(text, sizeof(text),
                 "{'codecs':[{'mimeType':'video/H264','clockRate':90000,'payloadType':99,"
                 "'parameters':{'packetization-mode':1,'profile-level-id':'%s',"
                 "'level-asymmetry-allowed':%d}}]}",
                 rows[i].given, rows[i].asymmetry);
        json_t *params = parse(text);
        assert_int_equal(ortc_check_parameters(params, &error), 0);
        json_t *mapping = ortc_producer_mapping(params, router, 1, &error);
        assert_non_null(mapping);
        const json_t *codec = json_array_get(json_object_get(params, "codecs"), 0);
        const json_t *id =
            json_object_get(json_object_get(codec, "parameters"), "profile-level-id");
        assert_string_equal(json_string_value(id), rows[i].answer);
        json_decref(mapping);
        json_decref(params);
    }
}

/* A router of these codecs, its capabilities as a receiver's, and the consumable of a producer with these parameters. */
struct made {
    json_t *router, *caps, *params, *mapping, *consumable;
    struct ortc_error error;
};

static void make(struct made *m, const char *kind, const char *codecs, const char *params)
{
    json_t *media = parse(codecs);
    *m = (struct made){.error = {""}};
    m->router = ortc_router_capabilities(media, &m->error);
    json_decref(media);
    if (!m->router)
        fail_msg("%s", m->error.text);
    m->caps = json_deep_copy(m->router);
    m->params = parse(params);
    assert_int_equal(ortc_check_parameters(m->params, &m->error), 0);
    m->mapping = ortc_producer_mapping(m->params, m->router, 1, &m->error);
    if (m->mapping)
        m->consumable = ortc_consumable(kind, m->params, m->router, m->mapping, &m->error);
}

static void unmake(struct made *m)
{
    json_decref(m->router);
    json_decref(m->caps);
    json_decref(m->params);
    json_decref(m->mapping);
    json_decref(m->consumable);
}

static const json_t *parameters_of(const json_t *rtp, size_t i)
{
    return json_object_get(json_array_get(json_object_get(rtp, "codecs"), i), "parameters");
}

/* RFC 7798: profile, tier and mode are the same, or not the same codec; the lower level is answered. */
static void matches_h265(void **state)
{
    (void)state;
    static const struct {
        const char *sent;
        int level; /* answered; -1: none; -2: not the same codec */
    } rows[] = {
        {"", -1},
        {"'level-id':120", 93},
        {"'level-id':'60'", 60},
        {"'profile-id':1,'tier-flag':0,'level-id':93,'tx-mode':'SRST'", 93},
        {"'profile-id':'1','tx-mode':'srst'", -1},
        {"'profile-id':2", -2},
        {"'profile-space':1", -2},
        {"'tier-flag':1", -2},
        {"'tier-flag':2", -2},
        {"'tx-mode':'MRST'", -2},
        {"'profile-id':'x'", -2},
        {"'level-id':256", -2},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char text[256];
        struct made m;
        snprintf(text, sizeof(text),
                 "{'codecs':[{'mimeType':'video/H265','clockRate':90000,'payloadType':99,"
                 "'parameters':{%s}}],'encodings':[{'ssrc':1}]}",
                 rows[i].sent);
        make(&m, "video", "[{'mimeType':'video/h265','clockRate':90000}]", text);
        if (!m.mapping != (rows[i].level == -2))
            fail_msg("%s: %s", rows[i].sent, m.error.text);
        if (m.mapping) {
            const json_t *level = json_object_get(parameters_of(m.params, 0), "level-id");
            assert_int_equal(level ? json_integer_value(level) : -1, rows[i].level);
            assert_true(ortc_can_consume(m.consumable, m.caps));
        }
        unmake(&m);
    }
}

static void tells_av1_profiles_apart(void **state)
{
    (void)state;
    static const char *const sent[] = {"'profile':0", "'profile':'0','tier':0", "'profile':1"};
    for (size_t i = 0; i < ARRAY_LEN(sent); i++) {
        char text[256];
        struct made m;
        snprintf(text, sizeof(text),
                 "{'codecs':[{'mimeType':'video/AV1','clockRate':90000,'payloadType':99,"
                 "'parameters':{%s}}],'encodings':[{'ssrc':1}]}",
                 sent[i]);
        make(&m, "video", "[{'mimeType':'video/AV1','clockRate':90000}]", text);
        assert_int_equal(m.mapping != NULL, i < 2);
        unmake(&m);
    }
}

static const char redundant[] =
    "{'mid':'0','codecs':[{'mimeType':'audio/red','payloadType':63,'clockRate':48000,'channels':2,"
    "'parameters':{'111/111':''}},"
    "{'mimeType':'audio/opus','payloadType':111,'clockRate':48000,'channels':2,"
    "'parameters':{'useinbandfec':1,'usedtx':1,'minptime':10}},"
    "{'mimeType':'audio/telephone-event','payloadType':126,'clockRate':8000}],"
    "'encodings':[{'ssrc':1}]}";
static const char audio_codecs[] = "[{'mimeType':'audio/opus','clockRate':48000,'channels':2},"
                                   "{'mimeType':'audio/red','clockRate':48000,'channels':2},"
                                   "{'mimeType':'audio/telephone-event','clockRate':8000},"
                                   "{'mimeType':'audio/CN','clockRate':8000}]";

/* What RED's parameter names are payload types: the router's go on. Opus' parameters go on as they are. */
static void maps_the_payload_types_in_red(void **state)
{
    (void)state;
    struct made m;
    make(&m, "audio", audio_codecs, redundant);
    assert_non_null(m.consumable);
    const json_t *red = parameters_of(m.consumable, 0), *opus = parameters_of(m.consumable, 1);
    assert_int_equal(json_object_size(red), 1);
    assert_non_null(json_object_get(red, "100/100"));
    assert_int_equal(json_integer_value(json_object_get(opus, "useinbandfec")), 1);
    assert_int_equal(json_integer_value(json_object_get(opus, "usedtx")), 1);
    assert_int_equal(json_integer_value(json_object_get(opus, "minptime")), 10);

    const struct ortc_consumer_options options = {.ssrc = 5};
    json_t *answer = ortc_consumer_parameters(m.consumable, m.caps, &options, &m.error);
    struct ortc_create_consumer *c = ortc_create_consumer(answer, m.mapping, &m.error);
    assert_non_null(c);
    assert_int_equal(c->msg.n_codecs, 3);
    static const uint32_t types[3][2] = {{63, 101}, {111, 100}, {126, 102}};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(c->msg.codecs[i]->producer_payload_type, types[i][0]);
        assert_int_equal(c->msg.codecs[i]->codec->payload_type, types[i][1]);
    }
    assert_int_equal(c->msg.codecs[0]->codec->type, ALTHING__CODEC_TYPE__CODEC_RED);
    assert_int_equal(c->msg.codecs[2]->codec->type, ALTHING__CODEC_TYPE__CODEC_OTHER);
    ortc_create_consumer_free(c);
    json_decref(answer);
    unmake(&m);
}

static void leaves_out_what_red_cannot_name(void **state)
{
    (void)state;
    static const char *const names[] = {
        "111/112",
        "111/",
        "/111",
        "1111",
        "4294967407",
        ("111/111/111/111/111/111/111/111/111/111/111/111/111/111/"
         "111/111/111/111/111/111/111/111/111/111/111/111/111/111")};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        char text[512];
        struct made m;
        snprintf(text, sizeof(text),
                 "{'codecs':[{'mimeType':'audio/red','payloadType':63,'clockRate':48000,"
                 "'channels':2,'parameters':{'%s':'','x':1}},"
                 "{'mimeType':'audio/opus','payloadType':111,'clockRate':48000,'channels':2}],"
                 "'encodings':[{'ssrc':1}]}",
                 names[i]);
        make(&m, "audio", audio_codecs, text);
        assert_int_equal(json_object_size(parameters_of(m.consumable, 0)), 1);
        assert_non_null(json_object_get(parameters_of(m.consumable, 0), "x"));
        unmake(&m);
    }
}

/* A receiver that numbers the extensions itself gets its own numbers; of two with one number the first. */
static void gives_a_receiver_its_own_extension_ids(void **state)
{
    (void)state;
    struct made m;
    make(&m, "audio", audio_codecs, redundant);
    json_object_set_new(
        m.caps, "headerExtensions",
        parse("[{'kind':'video','uri':'urn:ietf:params:rtp-hdrext:ssrc-audio-level',"
              "'preferredId':9},"
              "{'kind':'audio','uri':'urn:ietf:params:rtp-hdrext:ssrc-audio-level',"
              "'preferredId':20},"
              "{'kind':'audio','uri':'urn:ietf:params:rtp-hdrext:sdes:mid','preferredId':1},"
              "{'kind':'audio','uri':'http://www.webrtc.org/experiments/rtp-hdrext/playout-delay',"
              "'preferredId':20}]"));
    const struct ortc_consumer_options options = {.ssrc = 5};
    json_t *answer = ortc_consumer_parameters(m.consumable, m.caps, &options, &m.error);
    const json_t *list = json_object_get(answer, "headerExtensions");
    assert_int_equal(json_array_size(list), 2);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(list, 0), "id")), 1);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(list, 1), "id")), 20);
    json_decref(answer);
    unmake(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_a_router_its_payload_types),
        cmocka_unit_test(says_why_it_refuses),
        cmocka_unit_test(tells_the_worker_of_a_producer),
        cmocka_unit_test(refuses_a_producer_that_nothing_tells_apart),
        cmocka_unit_test(tells_the_worker_of_a_consumer),
        cmocka_unit_test(answers_h264_levels),
        cmocka_unit_test(matches_h265),
        cmocka_unit_test(tells_av1_profiles_apart),
        cmocka_unit_test(maps_the_payload_types_in_red),
        cmocka_unit_test(leaves_out_what_red_cannot_name),
        cmocka_unit_test(gives_a_receiver_its_own_extension_ids),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
