#include "load/ws_frame.h"

#include "lib/cursor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <openssl/evp.h>
#include <openssl/sha.h>

#define GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

void ws_accept(const char key[static WS_KEY_LEN], char out[static WS_ACCEPT_LEN + 1])
{
    char text[WS_KEY_LEN + sizeof(GUID)];
    unsigned char sum[SHA_DIGEST_LENGTH];
    memcpy(text, key, WS_KEY_LEN);
    memcpy(text + WS_KEY_LEN, GUID, sizeof(GUID));
    SHA1((const unsigned char *)text, WS_KEY_LEN + sizeof(GUID) - 1, sum);
    EVP_EncodeBlock((unsigned char *)out, sum, SHA_DIGEST_LENGTH);
}

/* ---- the handshake's answer ---- */

/* The value of a header line, without the spaces around it; or NULL. */
static const char *header_value(const char *line, size_t len, const char *name, size_t *value_len)
{
    size_t n = strlen(name);
    if (len <= n || strncasecmp(line, name, n) != 0 || line[n] != ':')
        return NULL;
    const char *p = line + n + 1, *end = line + len;
    while (p < end && (*p == ' ' || *p == '\t'))
        p++;
    while (end > p && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    *value_len = (size_t)(end - p);
    return p;
}

static int read_status(const char *line, size_t len)
{
    if (len < 12 || strncmp(line, "HTTP/1.1 ", 9) != 0)
        return -1;
    int status = 0;
    for (size_t i = 9; i < 12; i++) {
        if (line[i] < '0' || line[i] > '9')
            return -1;
        status = status * 10 + line[i] - '0';
    }
    return status;
}

static bool accepted(const char *head, size_t len, const char *key)
{
    char wanted[WS_ACCEPT_LEN + 1];
    ws_accept(key, wanted);
    for (const char *p = head, *end = head + len; p < end;) {
        const char *eol = memchr(p, '\r', (size_t)(end - p));
        size_t line_len = (size_t)((eol ? eol : end) - p), n;
        const char *value = header_value(p, line_len, "Sec-WebSocket-Accept", &n);
        if (value)
            return n == WS_ACCEPT_LEN && memcmp(value, wanted, n) == 0;
        p += line_len + 2;
    }
    return false;
}

int ws_answer_parse(const uint8_t *data, size_t len, const char key[static WS_KEY_LEN], int *status)
{
    const char *text = (const char *)data;
    const char *end = memmem(data, len < WS_ANSWER_MAX ? len : WS_ANSWER_MAX, "\r\n\r\n", 4);
    if (!end)
        return len >= WS_ANSWER_MAX || (len >= 5 && memcmp(text, "HTTP/", 5) != 0) ? -EBADMSG : 0;
    size_t head = (size_t)(end - text);
    *status = read_status(text, head);
    if (*status < 0)
        return -EBADMSG;
    return *status == 101 && accepted(text, head, key) ? (int)head + 4 : -EPROTO;
}

/* ---- frames ---- */

static bool known(unsigned opcode)
{
    return opcode <= WS_BINARY || (opcode >= WS_CLOSE && opcode <= WS_PONG);
}

int ws_frame_parse(const uint8_t *data, size_t len, struct ws_frame *out)
{
    struct reader r = reader_of(data, len);
    uint8_t first = reader_u8(&r), second = reader_u8(&r);
    if (r.bad)
        return 0;
    uint64_t n = second & 0x7f;
    bool control = first & 0x08;
    if (first & 0x70 || !known(first & 0x0f) || second & 0x80 ||
        (control && (n > 125 || !(first & 0x80))))
        return -EBADMSG;
    if (n == 126)
        n = reader_u16(&r);
    else if (n == 127)
        n = reader_u64(&r);
    if (!r.bad && n > WS_FRAME_MAX)
        return -EMSGSIZE;
    const uint8_t *payload = reader_take(&r, (size_t)n);
    if (r.bad)
        return 0;
    *out = (struct ws_frame){payload, (size_t)n, first & 0x0f, first & 0x80};
    return (int)(len - reader_left(&r));
}

size_t ws_frame_header(uint8_t out[static WS_HEADER_MAX], enum ws_opcode opcode, size_t len,
                       const uint8_t mask[static 4])
{
    struct writer w = writer_of(out, WS_HEADER_MAX);
    writer_u8(&w, (uint8_t)(0x80 | opcode));
    if (len < 126) {
        writer_u8(&w, (uint8_t)(0x80 | len));
    } else if (len < 65536) {
        writer_u8(&w, 0x80 | 126);
        writer_u16(&w, (uint16_t)len);
    } else {
        writer_u8(&w, 0x80 | 127);
        writer_u64(&w, len);
    }
    writer_bytes(&w, mask, 4);
    return writer_len(&w);
}

void ws_mask(uint8_t *payload, size_t len, const uint8_t mask[static 4])
{
    for (size_t i = 0; i < len; i++)
        payload[i] ^= mask[i % 4];
}
