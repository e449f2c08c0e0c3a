#include "exporter/scrape.h"
#include "exporter/text.h"
#include "tests/unit/check.h"
#include "tests/unit/exporter/source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct fake fake;

static const char *never(const struct addr *a, void *arg)
{
    (void)a;
    (void)arg;
    return NULL;
}

static const char *always(const struct addr *a, void *arg)
{
    (void)a;
    return arg;
}

static struct scrape_last last;
static const struct exporter_self self = {
    .scrapes = 4, .last_us = 1234, .started_us = 1700000000500000};
static const struct exporter_config everything = {
    .numeric = true, .max_streams = 100000, .max_rooms = 100, .version = "1.2"};

/* The whole text, to be freed. */
static char *text_in(const struct exporter_config *config, scrape_name_f *name, const char *host,
                     enum exporter_format format)
{
    struct exporter_source source = fake_source(&fake);
    const struct scrape_input in = {config, &source, name, (void *)(uintptr_t)host, &last, &self};
    struct scrape *t = scrape_new(&in, format, false);
    while (scrape_step(t))
        ;
    assert_false(scrape_buf(t)->full);
    char *text = strndup(scrape_buf(t)->data, scrape_buf(t)->len);
    scrape_free(t);
    return text;
}

static char *text_of(const struct exporter_config *config, scrape_name_f *name, const char *host)
{
    return text_in(config, name, host, EXPORTER_TEXT);
}

static void has_lines(const char *text, const char *const *lines, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!strstr(text, lines[i]))
            fail_msg("missing: %s in\n%s", lines[i], text);
    }
}

static int forget(void **state)
{
    (void)state;
    scrape_last_free(&last);
    fake_fill(&fake);
    return 0;
}

static void writes_labels_that_stay_inside(void **state)
{
    (void)state;
    static const struct {
        const char *value, *text;
    } rows[] = {
        {"", "\"\""},
        {"a\"b\\c\nd", "\"a\\\"b\\\\c\\nd\""},
        {"\xc3\xa9\xf0\x9f\x98\x80", "\"\xc3\xa9\xf0\x9f\x98\x80\""},
        {"\xff", "\"?\""},
        {"a\xc3", "\"a?\""},
        {"\xc0\x80", "\"\?\?\""},
        {"\xed\xa0\x80", "\"\?\?\?\""},
        {"\xf4\x90\x80\x80", "\"\?\?\?\?\""},
        {"\xe2\x82", "\"\?\?\""},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf b;
        buf_init(&b, 1000);
        text_quoted(&b, rows[i].value);
        assert_int_equal(b.len, strlen(rows[i].text));
        assert_memory_equal(b.data, rows[i].text, b.len);
        buf_free(&b);
    }
    char lengthy[EXPORTER_LABEL_MAX * 2 + 1] = "x";
    for (size_t i = 1; i < sizeof(lengthy) - 1; i += 2)
        memcpy(lengthy + i, "\xc3\xa9", i + 1 < sizeof(lengthy) - 1 ? 2 : 0);
    struct buf b;
    buf_init(&b, 1000);
    text_quoted(&b, lengthy);
    assert_int_equal(b.len, 2 + EXPORTER_LABEL_MAX - 1); /* not in the middle of a character */
    buf_free(&b);
}

static void writes_the_old_families(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "# TYPE edumeet_rooms gauge\nedumeet_rooms 2\n",
        "# TYPE edumeet_peers gauge\nedumeet_peers{room_id=\"room one\"} 0\n"
        "edumeet_peers{room_id=\"room two\"} 3\n",
        "# TYPE mediasoup_producer_byte_count_bytes counter\n"
        "mediasoup_producer_byte_count_bytes{pid=\"42\",room_id=\"room two\",peer_id=\"p1\","
        "display_name=\"Bob \\\"B\\\" \\\\ "
        "\\n\xc3\xa9\",user_agent=\"Firefox\",transport_id=\"t1\","
        "proto=\"udp\",local_addr=\"192.0.2.7:40000\",remote_addr=\"198.51.100.9:5000\","
        "id=\"prod\",kind=\"video\",codec=\"VP8\",type=\"inbound-rtp\",ssrc=\"11\",rid=\"r0\"} "
        "1000\n",
        "ssrc=\"12\",rid=\"r1\"} 5000000000\n# HELP mediasoup_producer_score ",
        "ssrc=\"12\",rid=\"r1\"} 7\n# HELP mediasoup_consumer_byte_count_bytes ",
        "proto=\"tcp\",local_addr=\"192.0.2.7:40000\",remote_addr=\"[2001:db8:1:2::9]:5000\","
        "id=\"cons\",kind=\"video\",codec=\"VP8\",type=\"outbound-rtp\",ssrc=\"13\",rid=\"\"} "
        "900\n",
        "# TYPE mediasoup_consumer_score gauge\n",
    };
    char *text = text_of(&everything, NULL, NULL);
    has_lines(text, lines, ARRAY_LEN(lines));
    free(text);
}

static void writes_the_totals(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "althing_worker_up{worker=\"0\"} 1\nalthing_worker_up{worker=\"1\"} 0\n",
        "# TYPE althing_worker_pid_info gauge\nalthing_worker_pid_info{worker=\"0\",pid=\"42\"} "
        "1\n",
        "# TYPE althing_dropped_packets_total counter\n",
        "althing_dropped_packets_total{worker=\"0\",reason=\"srtp_auth\"} 5\n",
        "# TYPE althing_worker_transports gauge\nalthing_worker_transports{worker=\"0\"} 0\n"
        "althing_worker_transports{worker=\"1\"} 6\n",
        "althing_peers{state=\"lobby\"} 1\nalthing_peers{state=\"admitted\"} 0\n"
        "althing_peers{state=\"joined\"} 3\n",
        "althing_producers{kind=\"video\",codec=\"VP8\"} 1\n",
        "althing_consumers{kind=\"video\",codec=\"VP8\"} 1\n",
        "althing_transports_by_ice_state{worker=\"1\",state=\"completed\"} 5\n",
        "althing_transports_by_dtls_state{worker=\"1\",state=\"closed\"} 0\n",
        "althing_rtp_bytes_total{worker=\"0\",direction=\"in\"} 1000\n"
        "althing_rtp_bytes_total{worker=\"0\",direction=\"out\"} 900\n",
        "althing_process_cpu_seconds_total{process=\"worker-1\"} 1.750000\n",
        "# TYPE althing_forwarding_latency_seconds histogram\n",
        "althing_forwarding_latency_seconds_bucket{worker=\"0\",le=\"0.0001\"} 0\n"
        "althing_forwarding_latency_seconds_bucket{worker=\"0\",le=\"0.0002\"} 3\n",
        "althing_forwarding_latency_seconds_bucket{worker=\"0\",le=\"+Inf\"} 3\n"
        "althing_forwarding_latency_seconds_count{worker=\"0\"} 3\n"
        "althing_forwarding_latency_seconds_sum{worker=\"0\"} 0.000450\n",
        "althing_transport_connect_latency_seconds_bucket{le=\"0.2\"} 1\n",
        "althing_transport_connect_latency_seconds_count 2\n"
        "althing_transport_connect_latency_seconds_sum 40.150000\n",
        "althing_process_start_time_seconds{process=\"server\"} 1700000000.500000\n",
        "althing_channel_queue_bytes{worker=\"0\"} 9\n",
        "althing_edge_queue_bytes 77\n",
        "althing_edge_refused_total{reason=\"slow_reader\"} 2\n",
        "althing_build_info{version=\"1.2\"} 1\n",
        "althing_exporter_scrapes_total 4\n",
        "althing_exporter_scrape_duration_seconds 0.001234\n",
        "althing_exporter_omitted_series{family=\"mediasoup_consumer_score\"} 0\n",
    };
    char *text = text_of(&everything, NULL, NULL);
    has_lines(text, lines, ARRAY_LEN(lines));
    free(text);
}

static void writes_openmetrics(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "# TYPE mediasoup_producer_byte_count_bytes unknown\n",
        "# UNIT mediasoup_producer_byte_count_bytes bytes\nmediasoup_producer_byte_count_bytes{",
        "# TYPE althing_dropped_packets counter\nalthing_dropped_packets_total{",
        "# TYPE althing_build info\nalthing_build_info{",
        "# TYPE althing_rtt_seconds histogram\n# UNIT althing_rtt_seconds seconds\n",
    };
    char *text = text_in(&everything, NULL, NULL, EXPORTER_OPENMETRICS);
    has_lines(text, lines, ARRAY_LEN(lines));
    assert_string_equal(text + strlen(text) - 6, "# EOF\n");
    free(text);
}

static void hides_what_it_is_told_to(void **state)
{
    (void)state;
    struct exporter_config c = everything;
    c.deidentify = true;
    c.numeric = false;
    char *text = text_of(&c, always, "host.example");
    assert_non_null(
        strstr(text, "peer_id=\"\",display_name=\"\",user_agent=\"\",transport_id=\"t1\""));
    assert_non_null(strstr(text, "local_addr=\"192.0.0.0\",remote_addr=\"198.51.0.0\""));
    assert_non_null(strstr(text, "remote_addr=\"2001:db8::\""));
    assert_null(strstr(text, "Bob"));
    assert_null(strstr(text, "\"p1\""));
    assert_null(strstr(text, "host.example"));
    free(text);
    c = everything;
    c.quiet = true;
    text = text_of(&c, never, NULL);
    assert_non_null(strstr(text, "transport_id=\"\""));
    assert_non_null(strstr(text, ",id=\"\","));
    assert_non_null(strstr(text, "remote_addr=\"198.51.100.9:5000\""));
    free(text);
    text = text_of(&everything, always, "host.example");
    assert_non_null(strstr(text, "remote_addr=\"host.example:5000\""));
    free(text);
}

static void leaves_out_what_has_no_labels_yet(void **state)
{
    (void)state;
    fake.producers[0].ssrc = 0;
    fake.consumers[0].selected = false;
    char *text = text_of(&everything, NULL, NULL);
    assert_null(strstr(text, "rid=\"r0\""));
    assert_non_null(strstr(text, "rid=\"r1\""));
    assert_null(strstr(text, "outbound-rtp"));
    free(text);
}

static void says_what_it_leaves_out(void **state)
{
    (void)state;
    static const struct {
        uint32_t streams, rooms;
        const char *in, *out, *rooms_out; /* how many are left out */
    } rows[] = {{100, 100, "0", "0", "0"},
                {2, 1, "0", "1", "1"},
                {1, 0, "1", "1", "2"},
                {0, 0, "2", "1", "2"}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char line[128];
        struct exporter_config c = everything;
        c.max_streams = rows[i].streams;
        c.max_rooms = rows[i].rooms;
        char *text = text_of(&c, NULL, NULL);
        const struct {
            const char *family, *n;
        } said[] = {{"mediasoup_producer_score", rows[i].in},
                    {"mediasoup_producer_byte_count_bytes", rows[i].in},
                    {"mediasoup_consumer_score", rows[i].out},
                    {"edumeet_peers", rows[i].rooms_out}};
        for (size_t k = 0; k < ARRAY_LEN(said); k++) {
            snprintf(line, sizeof(line), "althing_exporter_omitted_series{family=\"%s\"} %s\n",
                     said[k].family, said[k].n);
            if (!strstr(text, line))
                fail_msg("missing: %s", line);
        }
        assert_non_null(strstr(text, "althing_consumers{kind=\"video\",codec=\"VP8\"} 1\n"));
        free(text);
    }
}

static void bounds_the_kinds(void **state)
{
    (void)state;
    static char codecs[40][8];
    struct exporter_stream like = fake.producers[0];
    for (size_t i = 0; i < ARRAY_LEN(codecs); i++)
        snprintf(codecs[i], sizeof(codecs[i]), "c%zu", i);
    size_t lines = 0;
    fake.codecs = codecs;
    fake.n_producers = ARRAY_LEN(codecs);
    fake.producers[0] = like;
    char *text = text_of(&everything, NULL, NULL);
    for (const char *s = text; (s = strstr(s, "\nalthing_producers{")); s++)
        lines++;
    assert_int_equal(lines, SCRAPE_KINDS_MAX);
    assert_non_null(strstr(text, "althing_producers{kind=\"other\",codec=\"other\"} 25\n"));
    free(text);
}

static void counters_do_not_fall(void **state)
{
    (void)state;
    uint64_t *loops = &fake_worker_values(0)[COUNTERS_INDEX(worker, loops)];
    uint64_t *routers = &fake_worker_values(0)[COUNTERS_INDEX(worker, routers)];
    static const struct {
        uint64_t loops, routers;
        bool none;
        const char *shown, *routers_shown;
    } rows[] = {{10, 4, false, "10", "4"},
                {7, 3, false, "10", "3"},
                {12, 1, true, "10", "3"},
                {12, 1, false, "12", "1"}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char line[128];
        *loops = rows[i].loops;
        *routers = rows[i].routers;
        fake.no_totals = rows[i].none;
        char *text = text_of(&everything, NULL, NULL);
        snprintf(line, sizeof(line), "althing_worker_loops_total{worker=\"0\"} %s\n",
                 rows[i].shown);
        assert_non_null(strstr(text, line));
        snprintf(line, sizeof(line), "althing_worker_routers{worker=\"0\"} %s\n",
                 rows[i].routers_shown);
        assert_non_null(strstr(text, line));
        free(text);
    }
    *loops = *routers = 0;
}

static void goes_on_in_slices(void **state)
{
    (void)state;
    fake.repeat = 20 * EXPORTER_SLICE;
    struct exporter_source source = fake_source(&fake);
    const struct scrape_input in = {&everything, &source, NULL, NULL, &last, &self};
    struct scrape *t = scrape_new(&in, EXPORTER_TEXT, true);
    unsigned steps = 1;
    while (scrape_step(t))
        steps++;
    /* 20 slices of consumers, the text in pieces to be packed, and a bounded number besides */
    assert_in_range(steps, 20 + 20 * EXPORTER_SLICE * 2 * 250 / SCRAPE_ZIP_BYTES, 160);
    scrape_free(t);
    scrape_free(NULL);
}

/* Prometheus's own opinion, where it is installed. Its lint wants _total on the counters whose names are given. */
static void pleases_promtool(void **state)
{
    (void)state;
    if (system("command -v promtool >/dev/null 2>&1") != 0)
        skip();
    fake.repeat = 3;
    char *text = text_of(&everything, NULL, NULL);
    char path[] = "/tmp/exporter-test-XXXXXX", command[256];
    int fd = mkstemp(path);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    snprintf(command, sizeof(command), "promtool check metrics <%s 2>&1", path);
    FILE *f = popen(command, "r");
    char line[1024];
    int wrong = 0;
    while (fgets(line, sizeof(line), f)) {
        if (strstr(line, "_byte_count_bytes counter metrics should have"))
            continue;
        fputs(line, stderr);
        wrong++;
    }
    int status = pclose(f);
    assert_int_equal(wrong, 0);
    assert_in_set((unsigned long)WEXITSTATUS(status), ((const unsigned long[]){0, 3}), 2);
    unlink(path);
    free(text);
}

/* Names, suffixes and units as Prometheus and OpenMetrics want them. */
static void names_things_well(void **state)
{
    (void)state;
    size_t n;
    const struct metric *m = metrics_all(&n);
    assert_in_range(n, 50, METRICS_MAX - 1);
    for (size_t i = 0; i < n; i++) {
        size_t len = strlen(m[i].name), unit = strlen(m[i].unit);
        bool old = !strncmp(m[i].name, "edumeet_", 8) || !strncmp(m[i].name, "mediasoup_", 10);
        if (strspn(m[i].name, "abcdefghijklmnopqrstuvwxyz0123456789_") != len ||
            (!old && strncmp(m[i].name, "althing_", 8)) ||
            (len > 6 && !strcmp(m[i].name + len - 6, "_total")) ||
            (unit && (len <= unit || strcmp(m[i].name + len - unit, m[i].unit))) ||
            strpbrk(m[i].help, "\\\n\"|") || m[i].help[strlen(m[i].help) - 1] != '.')
            fail_msg("%s: %s", m[i].name, m[i].help);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(m[i].name, m[k].name);
    }
}

int main(void)
{
#define FRESH(t) cmocka_unit_test_setup_teardown(t, forget, forget)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_labels_that_stay_inside),
        cmocka_unit_test(names_things_well),
        FRESH(writes_the_old_families),
        FRESH(writes_the_totals),
        FRESH(writes_openmetrics),
        FRESH(hides_what_it_is_told_to),
        FRESH(leaves_out_what_has_no_labels_yet),
        FRESH(says_what_it_leaves_out),
        FRESH(bounds_the_kinds),
        FRESH(counters_do_not_fall),
        FRESH(goes_on_in_slices),
        FRESH(pleases_promtool),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
