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

/* The whole text, to be freed. */
static char *text_of(const struct exporter_config *config, exporter_name_f *name, const char *host)
{
    struct exporter_source source = fake_source(&fake);
    struct exporter_text *t = exporter_text_new(config, &source, name, (void *)(uintptr_t)host);
    while (exporter_text_step(t))
        ;
    assert_false(exporter_text_buf(t)->full);
    char *text = strndup(exporter_text_buf(t)->data, exporter_text_buf(t)->len);
    exporter_text_free(t);
    return text;
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
        exporter_text_label(&b, rows[i].value);
        assert_int_equal(b.len, strlen(rows[i].text));
        assert_memory_equal(b.data, rows[i].text, b.len);
        buf_free(&b);
    }
    char lengthy[EXPORTER_LABEL_MAX * 2 + 1] = "x";
    for (size_t i = 1; i < sizeof(lengthy) - 1; i += 2)
        memcpy(lengthy + i, "\xc3\xa9", i + 1 < sizeof(lengthy) - 1 ? 2 : 0);
    struct buf b;
    buf_init(&b, 1000);
    exporter_text_label(&b, lengthy);
    assert_int_equal(b.len, 2 + EXPORTER_LABEL_MAX - 1); /* not in the middle of a character */
    buf_free(&b);
}

static void writes_the_families(void **state)
{
    (void)state;
    static const struct exporter_config config = {.numeric = true};
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
        "althing_worker_up{worker=\"0\",pid=\"42\"} 1\nalthing_worker_up{worker=\"1\",pid=\"0\"} "
        "0\n",
        "# TYPE althing_worker_dropped_srtp_auth_total counter\n"
        "althing_worker_dropped_srtp_auth_total{worker=\"0\"} 5\n",
        "# TYPE althing_worker_transports gauge\nalthing_worker_transports{worker=\"0\"} 0\n"
        "althing_worker_transports{worker=\"1\"} 6\n",
    };
    fake_fill(&fake);
    char *text = text_of(&config, NULL, NULL);
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        if (!strstr(text, lines[i]))
            fail_msg("missing: %s in\n%s", lines[i], text);
    }
    free(text);
}

static void hides_what_it_is_told_to(void **state)
{
    (void)state;
    fake_fill(&fake);
    char *text = text_of(&(struct exporter_config){.deidentify = true}, always, "host.example");
    assert_non_null(strstr(text, "display_name=\"\",user_agent=\"\",transport_id=\"t1\""));
    assert_non_null(strstr(text, "local_addr=\"192.0.0.0\",remote_addr=\"198.51.0.0\""));
    assert_non_null(strstr(text, "remote_addr=\"2001:db8::\""));
    assert_null(strstr(text, "Bob"));
    assert_null(strstr(text, "host.example"));
    free(text);
    text = text_of(&(struct exporter_config){.quiet = true}, never, NULL);
    assert_non_null(strstr(text, "transport_id=\"\""));
    assert_non_null(strstr(text, ",id=\"\","));
    assert_non_null(strstr(text, "remote_addr=\"198.51.100.9:5000\""));
    free(text);
    text = text_of(&(struct exporter_config){0}, always, "host.example");
    assert_non_null(strstr(text, "remote_addr=\"host.example:5000\""));
    free(text);
}

static void leaves_out_what_has_no_labels_yet(void **state)
{
    (void)state;
    fake_fill(&fake);
    fake.producers[0].ssrc = 0;
    fake.consumers[0].selected = false;
    char *text = text_of(&(struct exporter_config){.numeric = true}, NULL, NULL);
    assert_null(strstr(text, "rid=\"r0\""));
    assert_non_null(strstr(text, "rid=\"r1\""));
    assert_null(strstr(text, "outbound-rtp"));
    free(text);
}

static void goes_on_in_slices(void **state)
{
    (void)state;
    fake_fill(&fake);
    fake.repeat = 5 * EXPORTER_SLICE;
    static const struct exporter_config config = {.numeric = true};
    struct exporter_source source = fake_source(&fake);
    struct exporter_text *t = exporter_text_new(&config, &source, NULL, NULL);
    int steps = 1;
    while (exporter_text_step(t))
        steps++;
    assert_in_range(steps, 8, 10);
    exporter_text_free(t);
    exporter_text_free(NULL);
}

/* Prometheus's own opinion, where it is installed. Its lint wants _total on the counters whose names are given. */
static void pleases_promtool(void **state)
{
    (void)state;
    if (system("command -v promtool >/dev/null 2>&1") != 0)
        skip();
    fake_fill(&fake);
    fake.repeat = 3;
    char *text = text_of(&(struct exporter_config){.quiet = true}, NULL, NULL);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_labels_that_stay_inside),
        cmocka_unit_test(writes_the_families),
        cmocka_unit_test(hides_what_it_is_told_to),
        cmocka_unit_test(leaves_out_what_has_no_labels_yet),
        cmocka_unit_test(goes_on_in_slices),
        cmocka_unit_test(pleases_promtool),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
