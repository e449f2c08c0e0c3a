#include "tests/unit/check.h"

#include "lib/mem.h"
#include "server/conf/conf_int.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static struct conf *parse_ok(const char *text)
{
    char err[CONF_ERROR_MAX] = "";
    struct conf *c = NULL;
    if (conf_parse(&c, text, strlen(text), "f", err) < 0)
        fail_msg("%s: %s", text, err);
    return c;
}

static void defaults_fit_the_table(void **state)
{
    (void)state;
    struct conf *c = parse_ok("{}");
    assert_int_equal(c->listening_port, 443);
    assert_int_equal(c->listening_redirect_port, 80);
    assert_int_equal(c->rtc_min_port, 40000);
    assert_int_equal(c->max_incoming_bitrate, 15000000);
    assert_true(c->prometheus_enabled);
    assert_string_equal(c->prometheus_listen, "127.0.0.1");
    assert_string_equal(c->observer_path, "/run/althing/observer.sock");
    assert_string_equal(c->log_level, "info");
    assert_null(c->listening_host);
    for (size_t i = 0; i < conf_n_keys; i++) {
        json_t *is = conf_value_get(c, &conf_keys[i]);
        json_t *should = json_loads(conf_keys[i].fallback, JSON_DECODE_ANY, NULL);
        if (!json_equal(is, should))
            fail_msg("%s", conf_keys[i].path);
        json_decref(is);
        json_decref(should);
    }
    conf_free(c);
}

static void takes_every_key(void **state)
{
    (void)state;
    static const char text[] =
        "{\"listeningHost\": \"::1\", \"listeningPort\": 8443, \"listeningRedirectPort\": 0,"
        "\"tls\": {\"cert\": \"c\", \"key\": \"k\"}, \"httpOnly\": true, \"trustProxy\": true,"
        "\"allowedOrigins\": [\"https://a.example\", \"*\"], \"clientPath\": null,"
        "\"maxUsersPerRoom\": 7, \"mediasoup\": {\"numWorkers\": 3, \"worker\": {\"rtcMinPort\": "
        "5000},"
        "\"webRtcTransport\": {\"listenIps\": [{\"ip\": \"0.0.0.0\", \"announcedIp\": "
        "\"m.example\"},"
        "{\"ip\": \"2001:db8::1\", \"announcedIp\": null}, {\"ip\": \"10.0.0.1\"}],"
        "\"initialAvailableOutgoingBitrate\": 600000, \"maxIncomingBitrate\": 0}},"
        "\"prometheus\": {\"enabled\": false, \"listen\": \"localhost\", \"port\": 1,"
        "\"deidentify\": true, \"numeric\": true, \"quiet\": true},"
        "\"observer\": {\"path\": \"/x\"}, \"logLevel\": \"debug\", \"user\": \"nobody\"}";
    struct conf *c = parse_ok(text);
    assert_string_equal(c->listening_host, "::1");
    assert_int_equal(c->listening_redirect_port, 0);
    assert_true(c->http_only && c->trust_proxy);
    assert_int_equal(c->allowed_origins.n, 2);
    assert_null(c->client_path);
    assert_int_equal(c->num_workers, 3);
    assert_int_equal(c->listen_ips.n, 3);
    assert_string_equal(c->listen_ips.items[0].announced, "m.example");
    assert_null(c->listen_ips.items[1].announced);
    assert_false(c->prometheus_enabled);
    assert_string_equal(c->user, "nobody");

    /* What is printed can be read again, and is the same. */
    char *shown = conf_to_text(c, CONF_SHOW);
    struct conf *again = parse_ok(shown);
    char *twice = conf_to_text(again, CONF_SHOW);
    assert_string_equal(shown, twice);
    free(shown);
    free(twice);
    conf_free(again);
    conf_free(c);
}

#define CODECS(list) "{\"mediasoup\": {\"router\": {\"mediaCodecs\": " list "}}}"

static void refuses_in_one_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *err;
    } rows[] = {
        {"", "f: line 1, column 0: '[' or '{' expected near end of file"},
        {"[]", "f: expected an object"},
        {"{\"a\": 1,\n \"a\": 2}", "f: line 2, column 4: duplicate object key near '\"a\"'"},
        {"{\"listenport\": 1}", "f: listenport: unknown key"},
        {"{\"listeningPrt\": 1}", "f: listeningPrt: unknown key; is listeningPort meant?"},
        {"{\"prometheus\": {\"prt\": 1}}",
         "f: prometheus.prt: unknown key; is prometheus.port meant?"},
        {"{\"prometheus\": true}", "f: prometheus: expected an object"},
        {"{\"prometheus.port\": 1}", NULL},
        {"{\"tls\": {\"keyPem\": \"x\"}}", "f: tls.keyPem: unknown key; is tls.key meant?"},
        {"{\"prometheus\": {\"port\": \"x\"}}",
         "f: prometheus.port: expected an integer from 1 to 65535, got \"x\""},
        {"{\"prometheus\": {\"port\": 0}}",
         "f: prometheus.port: expected an integer from 1 to 65535, got 0"},
        {"{\"listeningPort\": 65536}",
         "f: listeningPort: expected an integer from 1 to 65535, got 65536"},
        {"{\"listeningPort\": 443.0}",
         "f: listeningPort: expected an integer from 1 to 65535, got 443.0"},
        {"{\"listeningPort\": null}", "f: listeningPort: expected an integer, got null"},
        {"{\"listeningRedirectPort\": -1}",
         "f: listeningRedirectPort: expected an integer from 0 to 65535, got -1"},
        {"{\"maxUsersPerRoom\": 4294967297}",
         "f: maxUsersPerRoom: expected an integer from 1 to 100000, got 4294967297"},
        {"{\"httpOnly\": 1}", "f: httpOnly: expected true or false, got 1"},
        {"{\"user\": \"\"}", "f: user: expected a string or null, got \"\""},
        {"{\"tls\": {\"cert\": null}}", "f: tls.cert: expected a string, got null"},
        {"{\"logLevel\": \"inf\"}",
         "f: logLevel: expected one of error, warn, info, debug, got \"inf\""},
        {"{\"logLevel\": \"warn, info\"}", NULL},
        {"{\"allowedOrigins\": [\"meet.example.org\"]}",
         "f: allowedOrigins: expected origins such as \"https://meet.example.org\", got "
         "\"meet.example.org\""},
        {"{\"allowedOrigins\": [\"https://a.example/\"]}", NULL},
        {"{\"allowedOrigins\": {}}", NULL},
        {"{\"mediasoup\": {\"webRtcTransport\": {\"listenIps\": [{\"ip\": \"0.0.0.0\"}]}}}",
         "f: mediasoup.webRtcTransport.listenIps[0]: 0.0.0.0 needs an announcedIp"},
        {"{\"mediasoup\": {\"webRtcTransport\": {\"listenIps\": [{\"ip\": \"::\"}]}}}", NULL},
        {"{\"mediasoup\": {\"webRtcTransport\": {\"listenIps\": [{\"ip\": \"host\"}]}}}", NULL},
        {"{\"mediasoup\": {\"webRtcTransport\": {\"listenIps\": [{\"ip\": \"::1\"}, {\"ip\": "
         "\"::1\"}]}}}",
         "f: mediasoup.webRtcTransport.listenIps[1]: ::1 is listed twice"},
        {"{\"mediasoup\": {\"webRtcTransport\": {\"listenIps\": [{\"ip\": \"::1\", \"port\": "
         "1}]}}}",
         "f: mediasoup.webRtcTransport.listenIps[0]: unknown key \"port\""},
        {"{\"mediasoup\": {\"webRtcTransport\": {\"listenIps\": [{\"ip\": \"::1\", "
         "\"announcedIp\": \"a b\"}]}}}",
         NULL},
        {"{\"mediasoup\": {\"webRtcTransport\": {\"listenIps\": [1,2,3,4,5,6,7,8,9]}}}", NULL},
        {"{\"listeningHost\": \"\\u0000\"}", NULL},
        {CODECS("{}"),
         "f: mediasoup.router.mediaCodecs: expected a list of at least one codec, got {}"},
        {CODECS("[]"), NULL},
        {CODECS("[\"audio/opus\"]"), "f: mediasoup.router.mediaCodecs[0]: expected an object with "
                                     "mimeType and clockRate, got \"audio/opus\""},
        {CODECS("[{\"mimeType\": \"video/VP8\"}]"),
         "f: mediasoup.router.mediaCodecs[0]: clockRate is missing or not a number"},
        {CODECS("[{\"mimeType\": \"video/VP8\", \"clockRate\": 90000}, {\"mimeType\": "
                "\"video/theora\", \"clockRate\": 90000}]"),
         "f: mediasoup.router.mediaCodecs[1]: codec video/theora is not supported"},
        {CODECS("[{\"mimeType\": \"video/rtx\", \"clockRate\": 90000}]"), NULL},
        {CODECS("[{\"mimeType\": \"audio/opus\", \"clockRate\": 48000}]"), NULL},
        {CODECS("[{\"mimeType\": \"audio/opus\", \"clockRate\": 48000, \"channels\": \"2\"}]"),
         NULL},
        {CODECS("[{\"kind\": \"audio\", \"mimeType\": \"video/VP8\", \"clockRate\": 90000}]"),
         "f: mediasoup.router.mediaCodecs[0]: expected the kind of its mimeType, got \"audio\""},
        {CODECS("[{\"mimeType\": \"video/VP8\", \"clockrate\": 90000}]"),
         "f: mediasoup.router.mediaCodecs[0]: unknown key \"clockrate\""},
        {CODECS("[{\"mimeType\": \"video/VP8\", \"clockRate\": 90000, \"parameters\": 1}]"), NULL},
        {CODECS(
             "[{\"mimeType\": \"video/VP8\", \"clockRate\": 90000, \"preferredPayloadType\": 101}, "
             "{\"mimeType\": \"video/AV1\", \"clockRate\": 90000, \"preferredPayloadType\": 101}]"),
         "f: mediasoup.router.mediaCodecs: payload type 101 is there twice"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char err[CONF_ERROR_MAX] = "";
        struct conf *c = NULL;
        if (conf_parse(&c, rows[i].text, strlen(rows[i].text), "f", err) == 0)
            fail_msg("taken: %s", rows[i].text);
        assert_null(c);
        assert_true(err[0] != '\0');
        assert_null(strchr(err, '\n'));
        if (rows[i].err)
            assert_string_equal(err, rows[i].err);
    }
}

static void message_is_bounded(void **state)
{
    (void)state;
    char text[4096], err[CONF_ERROR_MAX], name[1000];
    memset(name, 'n', sizeof(name));
    name[sizeof(name) - 1] = '\0';
    int len = snprintf(text, sizeof(text), "{\"%0*d\": \"%0*d\"}", 2000, 0, 2000, 0);
    struct conf *c;
    assert_true(conf_parse(&c, text, (size_t)len, name, err) < 0);
    assert_true(strlen(err) < CONF_ERROR_MAX);
}

static void completes_from_the_machine(void **state)
{
    (void)state;
    char err[CONF_ERROR_MAX] = "";
    struct conf *c = parse_ok("{\"httpOnly\": true, \"clientPath\": null}");
    assert_int_equal(conf_complete(c, "f", err), 0);
    assert_true(c->num_workers >= 1);
    assert_true(c->listen_ips.n >= 1);
    conf_free(c);

    c = parse_ok("{\"httpOnly\": true, \"mediasoup\": {\"numWorkers\": 3, \"worker\": "
                 "{\"rtcMinPort\": 65534}}}");
    assert_true(conf_complete(c, "f", err) < 0);
    assert_string_equal(err, "f: mediasoup.worker.rtcMinPort: 3 workers need the ports up to "
                             "65536, which is over 65535");
    conf_free(c);
}

static void handed_over_whole(void **state)
{
    (void)state;
    char err[CONF_ERROR_MAX] = "";
    struct conf *c = parse_ok("{\"listeningPort\": 99}");
    c->tls_cert_pem = mem_strdup("-----CERT\n");
    c->tls_key_pem = mem_strdup("-----KEY\n");
    char *text = conf_to_text(c, CONF_HANDOFF);
    char *shown = conf_to_text(c, CONF_SHOW);
    assert_null(strstr(shown, "-----"));
    int fd = memfd_create("conf", MFD_CLOEXEC);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    for (int twice = 0; twice < 2; twice++) {
        struct conf *got = NULL;
        if (conf_from_fd(&got, fd, err) < 0)
            fail_msg("%s", err);
        assert_int_equal(got->listening_port, 99);
        assert_string_equal(got->tls_key_pem, "-----KEY\n");
        conf_free(got);
    }
    close(fd);
    free(text);
    free(shown);
    conf_free(c);
}

static void missing_files_are_told(void **state)
{
    (void)state;
    char err[CONF_ERROR_MAX] = "";
    struct conf *c = NULL;
    assert_true(conf_load(&c, "/nonexistent/x.json", err) < 0);
    assert_string_equal(err, "/nonexistent/x.json: No such file or directory");
    assert_true(conf_load(&c, "/", err) < 0);
    c = parse_ok("{\"tls\": {\"cert\": \"/nonexistent/c\"}}");
    assert_true(conf_complete(c, "f", err) < 0);
    assert_string_equal(err, "f: tls.cert: cannot read /nonexistent/c: No such file or directory");
    conf_free(c);
    c = parse_ok("{\"httpOnly\": true, \"clientPath\": \"/nonexistent/app\"}");
    assert_true(conf_complete(c, "f", err) < 0);
    assert_string_equal(
        err, "f: clientPath: cannot read the folder /nonexistent/app: No such file or directory");
    conf_free(c);
    c = parse_ok("{\"httpOnly\": true, \"clientPath\": \"/dev/null\"}");
    assert_true(conf_complete(c, "f", err) < 0);
    conf_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_fit_the_table),     cmocka_unit_test(takes_every_key),
        cmocka_unit_test(refuses_in_one_line),        cmocka_unit_test(message_is_bounded),
        cmocka_unit_test(completes_from_the_machine), cmocka_unit_test(handed_over_whole),
        cmocka_unit_test(missing_files_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
