#include "lib/log.h"
#include "tests/unit/check.h"
#include "worker/on_log.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static int pipe_fds[2], saved;

static void capture(void)
{
    assert_int_equal(pipe(pipe_fds), 0);
    saved = dup(STDERR_FILENO);
    dup2(pipe_fds[1], STDERR_FILENO);
    close(pipe_fds[1]);
}

static const char *captured(void)
{
    static char text[65536];
    dup2(saved, STDERR_FILENO);
    close(saved);
    size_t len = 0;
    for (ssize_t n; (n = read(pipe_fds[0], text + len, sizeof(text) - 1 - len)) > 0;)
        len += (size_t)n;
    text[len] = 0;
    close(pipe_fds[0]);
    return text;
}

static size_t lines(const char *text)
{
    size_t n = 0;
    for (; *text; text++)
        n += *text == '\n';
    return n;
}

static void knows_names(void **state)
{
    (void)state;
    for (int i = 0; i < TAGS; i++)
        assert_int_equal(tag_of(tag_name((enum tag)i)), i);
    assert_int_equal(tag_of("message"), -1);
    assert_int_equal(on_log_set(4, 1), -EINVAL);
    assert_int_equal(on_log_set(LOG_LEVEL_INFO, UINT32_MAX), 0);
    assert_int_equal(on_log_tags(), TAG_BIT(TAGS) - 1);
}

static void tell(enum engine_event_kind kind)
{
    struct engine_event e = {
        .kind = kind, .object = 42, .reason = "timeout", .score = 3, .spatial = 1};
    on_log_event(&e);
}

static void says_what_is_asked_for(void **state)
{
    (void)state;
    static const struct {
        uint32_t tags;
        enum engine_event_kind kind;
        const char *part; /* NULL: nothing */
    } rows[] = {
        {TAG_BIT(TAG_ICE), ENGINE_ICE_STATE, "ice: state transport=42 state=new"},
        {TAG_BIT(TAG_ICE), ENGINE_TUPLE, "ice: selected transport=42 protocol=udp"},
        {TAG_BIT(TAG_ICE), ENGINE_DTLS_STATE, NULL},
        {TAG_BIT(TAG_DTLS), ENGINE_DTLS_STATE, "dtls: state transport=42 state=new reason=timeout"},
        {TAG_BIT(TAG_SVC), ENGINE_LAYERS, "svc: other layers are sent consumer=42 spatial=1"},
        {TAG_BIT(TAG_SIMULCAST), ENGINE_LAYERS, "simulcast: other layers"},
        {TAG_BIT(TAG_SCORE), ENGINE_SCORE, "score: other score object=42 score=3"},
        {0, ENGINE_SCORE, NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        on_log_set(LOG_LEVEL_INFO, rows[i].tags);
        capture();
        tell(rows[i].kind);
        const char *text = captured();
        assert_int_equal(lines(text), rows[i].part != NULL);
        if (rows[i].part && !strstr(text, rows[i].part))
            fail_msg("%s", text);
    }
    on_log_set(LOG_LEVEL_WARN, UINT32_MAX); /* the level counts, too */
    capture();
    tell(ENGINE_SCORE);
    assert_int_equal(lines(captured()), 0);
}

static void counts_what_is_too_much(void **state)
{
    (void)state;
    struct counters_worker counts = {0};
    on_log_set(LOG_LEVEL_INFO, TAG_BIT(TAG_INFO));
    capture();
    for (int i = 0; i < 3 * ON_LOG_LINES; i++)
        on_log_refused(7, "no");
    assert_int_equal(lines(captured()), ON_LOG_LINES);
    capture();
    on_log_pass(&counts, 1000000);
    on_log_refused(7, "no");
    const char *text = captured();
    assert_int_equal(lines(text), 2);
    assert_non_null(strstr(text, "lines were left out lines=200"));
}

static void tells_what_was_dropped(void **state)
{
    (void)state;
    struct counters_worker counts = {.dropped_srtp_auth = 5};
    on_log_set(LOG_LEVEL_INFO, TAG_BIT(TAG_SRTP) | TAG_BIT(TAG_RTCP));
    capture();
    on_log_pass(&counts, 1000000); /* not news */
    counts.dropped_srtp_auth = 8;
    counts.dropped_rtp_parse = 8;
    on_log_pass(&counts, 1500000); /* not yet */
    assert_int_equal(lines(captured()), 0);
    capture();
    on_log_pass(&counts, 2000000);
    on_log_pass(&counts, 3000000);
    const char *text = captured();
    assert_int_equal(lines(text), 1);
    assert_non_null(strstr(text, "srtp: dropped: packets that are not authentic count=3"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_names),
        cmocka_unit_test(says_what_is_asked_for),
        cmocka_unit_test(counts_what_is_too_much),
        cmocka_unit_test(tells_what_was_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
