/* The console's words, text, tables, judgement and captures; no server. */
#include "observer/ctl.h"
#include "observer/ctl_cause.h"
#include "observer/ctl_pcap.h"
#include "observer/ctl_rows.h"
#include "observer/ctl_text.h"
#include "tests/unit/check.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>

static void cleans_text(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
        size_t columns, takes;
    } rows[] = {
        {"plain", "plain", 40, 5},
        {"", "", 40, 0},
        {"a\x1b[31mb\x07\x7f", "a?[31mb??", 40, 9},
        {"line\nfeed\r\t", "line?feed??", 40, 11},
        {"c1 \xc2\x9b"
         "31m",
         "c1 ?31m", 40, 7},
        {"\xe2\x80\xaetxt.exe", "?txt.exe", 40, 8}, /* right-to-left override */
        {"a\xe2\x80\x8b"
         "b\xef\xbb\xbf",
         "a?b?", 40, 4},                                                 /* zero width */
        {"\xe2\x80\xa8x", "?x", 40, 2},                                  /* a line separator */
        {"\xc0\xaf\xff\xe2\x82", "?????", 40, 5},                        /* no UTF-8 */
        {"\xed\xa0\x80", "???", 40, 3},                                  /* a surrogate */
        {"\xc3\xa9t\xc3\xa9", "\xc3\xa9t\xc3\xa9", 40, 3},               /* été */
        {"\xe6\xbc\xa2\xe5\xad\x97", "\xe6\xbc\xa2\xe5\xad\x97", 40, 4}, /* wide */
        {"\xe6\xbc\xa2\xe5\xad\x97", "\xe6\xbc\xa2~", 3, 3},
        {"0123456789", "01234~", 6, 6},
        {"012345", "012345", 6, 6},
        {"e\xcc\x81\xcc\x81\xcc\x81\xcc\x81", "e\xcc\x81\xcc\x81??", 40, 3}, /* piled up */
        {"\xcc\x81x", "?x", 40, 2},
    };
    ctl_text_init(true);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char out[64];
        assert_int_equal(ctl_text_clean(out, sizeof(out), rows[i].in, rows[i].columns),
                         rows[i].takes);
        assert_string_equal(out, rows[i].out);
    }
    char out[64];
    ctl_text_init(false);
    ctl_text_clean(out, sizeof(out), "\xc3\xa9t\xc3\xa9", 40);
    assert_string_equal(out, "?t?");
    ctl_text_init(true);
}

/* Whatever comes in, nothing but what may be shown goes out, and never too much of it. */
static void cleans_anything(void **state)
{
    (void)state;
    unsigned seed = 7;
    for (int round = 0; round < 20000; round++) {
        char in[48], out[32];
        size_t n = (size_t)rand_r(&seed) % sizeof(in), columns = (size_t)rand_r(&seed) % 30 + 1;
        for (size_t i = 0; i < n; i++)
            in[i] = (char)(rand_r(&seed) % 3 ? rand_r(&seed) % 255 + 1 : rand_r(&seed) % 64 + 0x80);
        in[n < sizeof(in) ? n : n - 1] = 0;
        size_t takes = ctl_text_clean(out, sizeof(out), in, columns);
        assert_true(takes <= columns);
        assert_true(strlen(out) < sizeof(out));
        for (const char *s = out; *s; s++) {
            unsigned char c = (unsigned char)*s;
            assert_false(c < 0x20 || c == 0x7f);
            assert_false(c == 0xc2 && (unsigned char)s[1] < 0xa0);
        }
    }
}

static void shortens_numbers(void **state)
{
    (void)state;
    char out[CTL_NUMBER_MAX];
    assert_string_equal(ctl_text_rate(out, 0), "0");
    assert_string_equal(ctl_text_rate(out, 999), "999");
    assert_string_equal(ctl_text_rate(out, 1000), "1.0k");
    assert_string_equal(ctl_text_rate(out, 850400), "850k");
    assert_string_equal(ctl_text_rate(out, 999999), "1.0M");
    assert_string_equal(ctl_text_rate(out, 2400000), "2.4M");
    assert_string_equal(ctl_text_bytes(out, INT64_MAX), "8388608T");
    assert_string_equal(ctl_text_share(out, 0), "0%");
    assert_string_equal(ctl_text_share(out, 8), "3.1%");
    assert_string_equal(ctl_text_share(out, 256), "100%");
    assert_string_equal(ctl_text_ms(out, 41500), "42ms");
    assert_string_equal(ctl_text_age(out, 11100), "3h05m");
    assert_string_equal(ctl_text_age(out, -5), "0s");
}

static void splits_lines(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        int n;
        const char *words[4];
    } rows[] = {
        {"", 0, {0}},
        {"  \n", 0, {0}},
        {"kick blue  bo\n", 3, {"kick", "blue", "bo"}},
        {"kick 'a b' \"c 'd\"", 3, {"kick", "a b", "c 'd"}},
        {"x a\\ b \"\" c\"d\"e", 4, {"x", "a b", "", "cde"}},
        {"x 'a", -1, {0}},
        {"a b c d e f g h i j k l m n o p q r s t u v w x y z a b c d e f", -1, {0}},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char space[CTL_WORD_MAX * 4], *argv[CTL_WORDS_MAX];
        int n = ctl_split(rows[i].line, space, argv);
        assert_int_equal(n, rows[i].n);
        for (int k = 0; k < n; k++)
            assert_string_equal(argv[k], rows[i].words[k]);
    }
    char *longest = calloc(1, CTL_WORD_MAX * 8), space[CTL_WORD_MAX * 4], *argv[CTL_WORDS_MAX];
    memset(longest, 'x', CTL_WORD_MAX * 8 - 1);
    assert_int_equal(ctl_split(longest, space, argv), -1);
    free(longest);
}

static void takes_options(void **state)
{
    (void)state;
    char a[] = "trace", b[] = "--pcap", c[] = "f", d[] = "id", e[] = "--seconds=5", f[] = "--json";
    char *argv[] = {a, b, c, d, e, f, NULL};
    int argc = 6;
    assert_string_equal(ctl_option(&argc, argv, "--pcap"), "f");
    assert_string_equal(ctl_option(&argc, argv, "--seconds"), "5");
    assert_null(ctl_option(&argc, argv, "--types"));
    assert_true(ctl_flag(&argc, argv, "--json"));
    assert_int_equal(argc, 2);
    assert_string_equal(argv[1], "id");
    assert_null(argv[2]);
}

static void completes(void **state)
{
    (void)state;
    assert_string_equal(ctl_complete("sta", 0), "stats");
    assert_string_equal(ctl_complete("close", 0), "close-room");
    assert_null(ctl_complete("close", 1));
    assert_null(ctl_complete("zzz", 0));
    assert_ptr_equal(ctl_command_find("dp"), ctl_command_find("dumpProducer"));
    assert_null(ctl_command_find("d"));
}

static void prints_tables(void **state)
{
    (void)state;
    static const struct ctl_column columns[] = {{"NAME", 6, false}, {"N", 0, true}};
    static const struct {
        size_t width, rows_max;
        bool color;
        const char *out;
    } rows[] = {
        {0, 0, false, "NAME     N\na        1\n01234~  22\n"},
        {0, 1, false, "NAME     N\na        1\n"},
        {9, 0, false, "NAME     N\na        1\n01234~  ~\n"},
        {3, 0, false, "NA~\na  \n01~\n"},
        {0, 1, true, "\x1b[1mNAME\x1b[0m     \x1b[1mN\x1b[0m\na        \x1b[31m1\x1b[0m\n"},
    };
    struct ctl_table *t;
    ctl_table_new(&t, columns, 2);
    ctl_table_cell(t, CTL_PLAIN, "a");
    ctl_table_cell(t, CTL_BAD, "1");
    ctl_table_cell(t, CTL_PLAIN, "0123456789");
    ctl_table_cell(t, CTL_PLAIN, "22");
    assert_int_equal(ctl_table_rows(t), 2);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char *text;
        size_t size;
        FILE *out = open_memstream(&text, &size);
        ctl_table_print(t, out, rows[i].color, rows[i].width, rows[i].rows_max);
        fclose(out);
        if (rows[i].width != 9)
            assert_string_equal(text, rows[i].out);
        free(text);
    }
    ctl_table_free(t);
}

/* ---- judging ---- */

/* ada sends three layers, bo gets one of them. %s are members of: ada's transport, bo's transport, the streams' statistics q, h, f,
 * and the consumer. */
static const char snapshot[] =
    "{\"rooms\":[{\"roomId\":\"blue\"}],"
    "\"peers\":[{\"roomId\":\"blue\",\"peerId\":\"bo\",\"displayName\":\"Bo\"},"
    "{\"roomId\":\"blue\",\"peerId\":\"ada\",\"displayName\":\"Ada\"},"
    "{\"roomId\":\"blue\",\"peerId\":\"adam\",\"displayName\":\"Bo\"}],"
    "\"transports\":[{\"transportId\":\"t-ada\",\"peerId\":\"ada\",\"roomId\":\"blue\",%s},"
    "{\"transportId\":\"t-bo\",\"peerId\":\"bo\",\"roomId\":\"blue\",%s}],"
    "\"producers\":[{\"producerId\":\"p1\",\"roomId\":\"blue\",\"peerId\":\"ada\",\"transportId\":"
    "\"t-ada\","
    "\"kind\":\"video\",\"source\":\"webcam\",\"spatialLayers\":3,\"temporalLayers\":3,"
    "\"streams\":[{\"rid\":\"q\",\"stats\":{%s}},{\"rid\":\"h\",\"stats\":{%s}},{\"rid\":\"f\","
    "\"stats\":{%s}}]}],"
    "\"consumers\":[{\"consumerId\":\"c1\",\"roomId\":\"blue\",\"peerId\":\"bo\",\"transportId\":"
    "\"t-bo\","
    "\"producerId\":\"p1\",\"kind\":\"video\",%s}],"
    "\"layers\":[{\"consumerId\":\"c1\",\"current\":{\"spatial\":%d,\"temporal\":2},\"preferred\":"
    "null}]}";

#define UP   "\"iceState\":\"completed\",\"dtlsState\":\"connected\",\"protocol\":\"udp\""
#define GOOD "\"bitrate\":100000,\"score\":10,\"fraction_lost\":0"
#define NOT  "\"bitrate\":0,\"score\":10"

static void finds_causes(void **state)
{
    (void)state;
    static const struct {
        const char *ada, *bo, *q, *h, *f, *consumer;
        int spatial;
        const char *of_sender, *of_receiver; /* "": nothing is wrong */
    } rows[] = {
        {UP, UP, GOOD, GOOD, GOOD, "\"stats\":{" GOOD "}", 2, "", ""},
        {UP, UP, GOOD, NOT, NOT, "\"stats\":{" GOOD "}", 0, "", "the sender sends no higher one"},
        {UP, UP ",\"stats\":{\"available_outgoing_bitrate\":300000}", GOOD, GOOD, GOOD,
         "\"stats\":{" GOOD "}", 0, "", "layer 0, not 2: its downlink takes about 300kbit/s"},
        {UP, UP, GOOD, GOOD, GOOD, "\"stats\":{\"bitrate\":9,\"score\":9,\"fraction_lost\":26}", 2,
         "", "10% lost on its link from the server"},
        {UP, "\"iceState\":\"completed\",\"dtlsState\":\"connected\",\"protocol\":\"tcp\"", GOOD,
         GOOD, GOOD, "\"stats\":{\"bitrate\":9,\"score\":10,\"rtt_us\":500000}", 2, "", "over TCP"},
        {UP, "\"iceState\":\"disconnected\",\"dtlsState\":\"connected\"", GOOD, GOOD, GOOD,
         "\"stats\":{" NOT "}", 2, "", "connection lost"},
        {UP, UP, GOOD, GOOD, "\"bitrate\":900000,\"score\":3,\"fraction_lost\":60",
         "\"stats\":{" GOOD "}", 2, "23% lost on its link to the server", ""},
        {UP, UP, "\"bitrate\":9,\"score\":2,\"fraction_lost\":90", NOT, NOT,
         "\"stats\":{\"bitrate\":9,\"score\":9}", 0, "",
         "at the sender: 35% lost on its link to the server"},
        {UP, UP, NOT, NOT, NOT, "\"stats\":{" NOT "}", 2, "it sends nothing",
         "nothing comes from the sender"},
        {UP, UP, GOOD, GOOD, GOOD, "\"stats\":{" NOT "}", 2, "",
         "nothing is forwarded: waiting for a key frame, or no bandwidth"},
        {UP, UP, GOOD, GOOD, GOOD, "\"paused\":true,\"stats\":{" NOT "}", 2, "", ""},
        {UP, UP, GOOD, GOOD, GOOD, "\"ssrc\":1", 2, "", ""},
        {UP, "\"iceState\":\"new\",\"dtlsState\":\"new\"", GOOD, GOOD, GOOD, "\"stats\":{" NOT "}",
         2, "", "not connected: no ICE check came"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char *text, cause[CTL_CAUSE_MAX];
        struct ctl_model *m;
        assert_true(asprintf(&text, snapshot, rows[i].ada, rows[i].bo, rows[i].q, rows[i].h,
                             rows[i].f, rows[i].consumer, rows[i].spatial) > 0);
        json_t *o = json_loads(text, 0, NULL);
        assert_non_null(o);
        ctl_model_new(&m, o);
        assert_int_equal(m->n_streams, 4); /* of ada f, h, q; of bo */
        for (size_t k = 0; k < 4; k += 3) {
            const char *wanted = k ? rows[i].of_receiver : rows[i].of_sender;
            unsigned severity = ctl_cause(&m->streams[k], cause);
            if (*wanted && !strstr(cause, wanted))
                fail_msg("row %zu: \"%s\", not \"%s\"", i, cause, wanted);
            assert_int_equal(severity > 0, *wanted != 0 || (i == 6 && k));
        }
        ctl_model_free(m);
        free(text);
    }
}

static void models_and_finds(void **state)
{
    (void)state;
    char *text;
    bool several;
    struct ctl_model *m;
    assert_true(asprintf(&text, snapshot, UP, UP, GOOD, GOOD, GOOD, "\"stats\":{" GOOD "}", 1) > 0);
    ctl_model_new(&m, json_loads(text, 0, NULL));
    assert_string_equal(m->streams[0].rid, "f");
    assert_int_equal(m->streams[0].streams, 3);
    assert_int_equal(m->streams[0].active, 3);
    const struct ctl_stream *c = &m->streams[3];
    assert_string_equal(c->name, "Bo");
    assert_string_equal(c->from_name, "Ada");
    assert_string_equal(c->source, "webcam");
    assert_int_equal(c->spatial, 1);
    assert_int_equal(c->spatial_most, 2);
    assert_string_equal(c->transport->id, "t-bo");
    assert_non_null(c->source_stream);
    assert_string_equal(ctl_model_peer(m, "blue", "ada")->name, "Ada");
    assert_null(ctl_model_peer(m, "red", "ada"));

    assert_non_null(
        ctl_model_find(m, "peer", NULL, "ada", &several)); /* whole, though "adam" begins so */
    assert_null(ctl_model_find(m, "peer", NULL, "a", &several));
    assert_true(several);
    assert_null(ctl_model_find(m, "peer", NULL, "Bo", &several)); /* two are called so */
    assert_true(several);
    assert_non_null(ctl_model_find(m, "peer", "blue", "Ada", &several));
    assert_null(ctl_model_find(m, "peer", "red", "ada", &several));
    assert_false(several);
    assert_null(ctl_model_find(m, "peer", NULL, "", &several));
    assert_null(ctl_model_find(m, "song", NULL, "x", &several));
    assert_non_null(ctl_model_find(m, "consumer", NULL, "c", &several));

    size_t n;
    struct ctl_row *rows = ctl_rows(m, "red", false, CTL_SORT_RATE, &n);
    assert_int_equal(n, 0);
    free(rows);
    rows = ctl_rows(m, "blue", true, CTL_SORT_CAUSE, &n);
    assert_int_equal(n, 1); /* bo wants layer 2 */
    free(rows);
    ctl_model_free(m);
    free(text);
}

/* What is not of the right type is taken as not said. */
static void survives_nonsense(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "{}",
        "{\"rooms\":1,\"peers\":\"x\",\"transports\":null,\"producers\":{},\"consumers\":[1,null,[]"
        ",\"x\"]}",
        "{\"peers\":[[],{\"peerId\":5}],\"producers\":[{\"streams\":[1]},{\"streams\":5},7],"
        "\"consumers\":[{\"producerId\":[]},{\"stats\":{\"score\":\"x\",\"bitrate\":-5,\"rtt_us\":"
        "1e300}}],"
        "\"layers\":[{\"consumerId\":\"\",\"current\":5}]}",
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct ctl_model *m;
        struct ctl_table *t;
        size_t n;
        json_t *o = json_loads(rows[i], 0, NULL);
        assert_non_null(o);
        ctl_model_new(&m, o);
        struct ctl c = {0};
        struct ctl_row *r = ctl_rows(m, NULL, false, CTL_SORT_NAME, &n);
        ctl_rows_table(&c, r, n, &t);
        ctl_table_free(t);
        free(r);
        ctl_model_free(m);
    }
}

/* ---- captures ---- */

static void parses_addresses(void **state)
{
    (void)state;
    static const char *const good[] = {"1.2.3.4:5", "[2001:db8::1]:65535", "[::1]:1"};
    static const char *const bad[] = {
        "", ":", "1.2.3.4", "1.2.3.4:", "1.2.3.4:x", "1.2.3.4:70000", "[::1:5", "[]:5", "x:5"};
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        struct addr a;
        char text[ADDR_STR_MAX];
        assert_true(ctl_pcap_addr(good[i], &a));
        assert_string_equal(addr_format(&a, text), good[i]);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct addr a;
        assert_false(ctl_pcap_addr(bad[i], &a));
    }
}

static void writes_captures(void **state)
{
    (void)state;
    static const uint8_t rtp[] = {0x80, 96, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3};
    static const uint8_t
        wanted
            [] =
                {
                    0xd4, 0xc3, 0xb2, 0xa1, 2,    0,    4,    0, 0,   0,  0,    0,
                    0,    0,    0,    0,    0xff, 0xff, 0,    0, 101, 0,  0,    0, /* file */
                    2,    0,    0,    0,    3,    0,    0,    0, 40,  0,  0,    0,
                    0x20, 4,    0,    0, /* record: 2.000003 s, 40 of 1056 bytes */
                    0x45, 0,    4,    0x20, 0,    0,    0x40, 0, 64,  17, 0x28, 0xc7,
                    10,   0,    0,    1,    1,    2,    3,    4, /* IPv4 */
                    0x9c, 0x40, 0x15, 0xb3, 4,    0x0c, 0,    0, /* UDP: 40000 to 5555 */
                };
    char *text;
    size_t size;
    struct ctl_pcap p = {.file = open_memstream(&text, &size)};
    assert_true(ctl_pcap_addr("10.0.0.1:40000", &p.local));
    assert_true(ctl_pcap_addr("1.2.3.4:5555", &p.remote));
    ctl_pcap_start(&p);
    ctl_pcap_packet(&p, 2000003, true, rtp, sizeof(rtp), 1028);
    fflush(p.file);
    assert_int_equal(size, sizeof(wanted) + sizeof(rtp));
    assert_memory_equal(text, wanted, sizeof(wanted));
    assert_memory_equal(text + sizeof(wanted), rtp, sizeof(rtp));
    /* the other way, by IPv6; more bytes than the packet had are none */
    assert_true(ctl_pcap_addr("[::1]:1", &p.local));
    assert_true(ctl_pcap_addr("[::2]:2", &p.remote));
    ctl_pcap_packet(&p, 0, false, rtp, sizeof(rtp), 4);
    ctl_pcap_packet(&p, 0, false, rtp, sizeof(rtp), SIZE_MAX);
    fclose(p.file);
    assert_int_equal(size, sizeof(wanted) + sizeof(rtp) + 2 * (16 + 48) + 4 + sizeof(rtp));
    const uint8_t *second = (uint8_t *)text + sizeof(wanted) + sizeof(rtp) + 16;
    assert_int_equal(second[0], 0x60);
    assert_int_equal(second[23], 2); /* from ::2 */
    assert_int_equal(p.packets, 3);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cleans_text),      cmocka_unit_test(cleans_anything),
        cmocka_unit_test(shortens_numbers), cmocka_unit_test(splits_lines),
        cmocka_unit_test(takes_options),    cmocka_unit_test(completes),
        cmocka_unit_test(prints_tables),    cmocka_unit_test(finds_causes),
        cmocka_unit_test(models_and_finds), cmocka_unit_test(survives_nonsense),
        cmocka_unit_test(parses_addresses), cmocka_unit_test(writes_captures),
    };
    if (!setlocale(LC_CTYPE, "C.UTF-8"))
        return 77; /* no such locale on this machine: widths are not known */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
