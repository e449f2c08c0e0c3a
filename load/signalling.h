/* signalling.h - what a client of proto/signalling.md says and hears: requests with their answers, notifications.
 *
 * At most SIGNALLING_PENDING_MAX requests wait for an answer, one more is not sent; an answer that is SIGNALLING_TIMEOUT_US late
 * ends it. `closed` is told once, from the loop or from signalling_check(); then only signalling_free() is of use, which no
 * handler may call. JSON given to handlers is borrowed.
 */
#ifndef ALTHING_LOAD_SIGNALLING_H
#define ALTHING_LOAD_SIGNALLING_H

#include "load/ws.h"

#include <stdint.h>

#include <jansson.h>

#define SIGNALLING_PENDING_MAX 32
#define SIGNALLING_TIMEOUT_US  20000000

struct signalling;

/* Exactly one of result and error. */
typedef void signalling_answer_f(const json_t *result, const char *error, void *arg);

struct signalling_handlers {
    /* What answers the server's request (a new reference), or NULL: there is no such method. */
    json_t *(*asked)(const char *method, const json_t *data, void *arg);
    void (*told)(const char *method, const json_t *data, void *arg);
    void (*closed)(const char *reason, void *arg);
};

struct signalling_config {
    uv_loop_t *loop;
    const struct target *target;     /* borrowed */
    const struct sockaddr *address;
    SSL_CTX *tls;                    /* borrowed; NULL: none */
    const char *token;               /* of characters that need no encoding; NULL: none */
    const char *room, *peer;         /* ids, of characters that need no encoding */
    const struct signalling_handlers *handlers; /* borrowed */
    void *arg;
};

void signalling_new(struct signalling **sp, const struct signalling_config *conf);
void signalling_leave(struct signalling *s); /* says goodbye; `closed` is not told any more */
void signalling_free(struct signalling *s);  /* NULL is fine */

/* Both steal `data`. fn may be NULL: a refusal then ends it. */
void signalling_ask(struct signalling *s, const char *method, json_t *data, signalling_answer_f *fn, void *arg);
void signalling_tell(struct signalling *s, const char *method, json_t *data);
void signalling_check(struct signalling *s, int64_t now_us); /* once a second or so: are answers late? */

#endif
