/* ws_frame.h - a WebSocket client's bytes: the answer to its handshake, frames in, frames out (RFC 6455 4, 5). Pure.
 *
 * No extension is ever asked for, so RSV bits are an error. Servers do not mask.
 */
#ifndef ALTHING_LOAD_WS_FRAME_H
#define ALTHING_LOAD_WS_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WS_KEY_LEN    24 /* base64 of 16 bytes */
#define WS_ACCEPT_LEN 28
#define WS_HEADER_MAX 14     /* of a frame that we send */
#define WS_ANSWER_MAX 8192   /* bytes of the handshake's answer */
#define WS_FRAME_MAX  2097152 /* payload of one frame */

enum ws_opcode {
    WS_CONTINUATION = 0,
    WS_TEXT = 1,
    WS_BINARY = 2,
    WS_CLOSE = 8,
    WS_PING = 9,
    WS_PONG = 10,
};

struct ws_frame {
    const uint8_t *payload; /* borrowed */
    size_t len;
    enum ws_opcode opcode;
    bool fin;
};

/* What Sec-WebSocket-Accept must be for that key. */
void ws_accept(const char key[static WS_KEY_LEN], char out[static WS_ACCEPT_LEN + 1]);
/* Reads the answer to the handshake; *status is set when it has come whole. Returns its length; 0: more is to come; -EBADMSG: no
 * HTTP; -EPROTO: not 101, or not for this key. */
int ws_answer_parse(const uint8_t *data, size_t len, const char key[static WS_KEY_LEN], int *status);
/* Returns the frame's length with its header; 0: more is to come; -EBADMSG: no frame that we take; -EMSGSIZE: over WS_FRAME_MAX. */
int ws_frame_parse(const uint8_t *data, size_t len, struct ws_frame *out);
/* The header of a whole masked frame; returns its length. ws_mask() is for the payload. */
size_t ws_frame_header(uint8_t out[static WS_HEADER_MAX], enum ws_opcode opcode, size_t len, const uint8_t mask[static 4]);
void ws_mask(uint8_t *payload, size_t len, const uint8_t mask[static 4]);

#endif
