#include "tests/unit/check.h"

#include "load/ws_frame.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define KEY "dGhlIHNhbXBsZSBub25jZQ=="

/* RFC 6455 1.3. */
static void accepts_as_the_rfc_says(void **state)
{
    (void)state;
    char accept[WS_ACCEPT_LEN + 1];
    ws_accept(KEY, accept);
    assert_string_equal(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

static void reads_the_handshake(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int result, status;
    } rows[] = {
        {"", 0, 0},
        {"HTTP/1.1 101 Swit", 0, 0},
        {"HTTP/1.1 101 OK\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\nmore", 71,
         101},
        {"HTTP/1.1 101 OK\r\nsec-websocket-accept:s3pPLMBiTxaQ9kYGzzhZRbK+xOo=  \r\n\r\n", 72, 101},
        {"HTTP/1.1 101 OK\r\nSec-WebSocket-Accept: t3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n", -EPROTO,
         101},
        {"HTTP/1.1 101 OK\r\n\r\n", -EPROTO, 101},
        {"HTTP/1.1 403 No\r\nx: y\r\n\r\n", -EPROTO, 403},
        {"HTTP/1.1 4x3 No\r\n\r\n", -EBADMSG, -1},
        {"HTTP/1.0\r\n\r\n", -EBADMSG, -1},
        {"SSH-2.0-x", -EBADMSG, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int status = 0;
        int n = ws_answer_parse((const uint8_t *)rows[i].text, strlen(rows[i].text), KEY, &status);
        if (n != rows[i].result || status != rows[i].status)
            fail_msg("%s: %d, status %d", rows[i].text, n, status);
    }
    static uint8_t endless[WS_ANSWER_MAX];
    int status;
    memset(endless, 'H', sizeof(endless));
    assert_int_equal(ws_answer_parse(endless, sizeof(endless), KEY, &status), -EBADMSG);
}

static void reads_frames(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        int result;
        size_t len;
        uint8_t bytes[16];
    } rows[] = {
        {"nothing", 0, 0, {0}},
        {"half a header", 0, 1, {0x81}},
        {"half a payload", 0, 3, {0x81, 2, 'a'}},
        {"text", 4, 5, {0x81, 2, 'a', 'b', 0x81}},
        {"empty", 2, 2, {0x81, 0}},
        {"a fragment", 3, 3, {0x01, 1, 'a'}},
        {"half a long length", 0, 3, {0x81, 126, 0}},
        {"a needlessly long length", 5, 5, {0x81, 126, 0, 1, 'a'}},
        {"close", 4, 4, {0x88, 2, 3, 0xe8}},
        {"compressed", -EBADMSG, 3, {0xc1, 1, 'a'}},
        {"masked", -EBADMSG, 7, {0x81, 0x81, 0, 0, 0, 0, 'a'}},
        {"unknown opcode", -EBADMSG, 2, {0x83, 0}},
        {"a fragmented ping", -EBADMSG, 2, {0x09, 0}},
        {"a long ping", -EBADMSG, 4, {0x89, 126, 0, 200}},
        {"too long", -EMSGSIZE, 10, {0x81, 127, 0, 0, 0, 0, 0, 0x20, 0, 1}},
        {"length of 2^64 - 1", -EMSGSIZE, 10, {0x81, 127, 255, 255, 255, 255, 255, 255, 255, 255}},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct ws_frame f;
        int n = ws_frame_parse(rows[i].bytes, rows[i].len, &f);
        if (n != rows[i].result)
            fail_msg("%s: %d", rows[i].what, n);
    }
}

/* What is written is what a server would read: the same frame, but for the mask. */
static void writes_frames(void **state)
{
    (void)state;
    static const size_t lengths[] = {0, 1, 125, 126, 65535, 65536};
    const uint8_t mask[4] = {1, 2, 3, 4};
    for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
        size_t len = lengths[i];
        uint8_t *buf = calloc(1, WS_HEADER_MAX + len);
        struct ws_frame f;
        size_t n = ws_frame_header(buf, WS_TEXT, len, mask);
        assert_memory_equal(buf + n - 4, mask, 4);
        memset(buf + n, 'x', len);
        ws_mask(buf + n, len, mask);
        if (len > 4)
            assert_int_equal(buf[n + 4], 'x' ^ 1);
        ws_mask(buf + n, len, mask);
        memmove(buf + n - 4, buf + n, len);
        buf[1] &= 0x7f;
        assert_int_equal(ws_frame_parse(buf, n - 4 + len, &f), n - 4 + len);
        assert_int_equal(f.len, len);
        assert_int_equal(f.opcode, WS_TEXT);
        assert_true(f.fin);
        free(buf);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts_as_the_rfc_says),
        cmocka_unit_test(reads_the_handshake),
        cmocka_unit_test(reads_frames),
        cmocka_unit_test(writes_frames),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
