/* ice.h - one ICE-lite agent (RFC 8445 2.5): it answers connectivity checks and never sends any.
 *
 * Sans-I/O. Host candidates only, controlled role only, component 1 only. A tuple is valid once an authenticated Binding request
 * came from it; at most ICE_TUPLES_MAX are kept, and the oldest that is not selected goes first. The selected tuple is where
 * media is sent: the first valid one, then the one that the browser nominates, or where its media comes from (ice_media_from()).
 *
 *     NEW -> CONNECTED (a tuple is valid) -> COMPLETED (nominated) -> DISCONNECTED (consent expired, RFC 7675) -> CONNECTED ...
 *
 * Where a check says it comes from is not proven: a peer could name a stranger's address and have us send there. So a nomination
 * that takes the place of another tuple is on probation until something more comes from there, a check or media; if nothing does
 * in ICE_PROBATION_US, the former tuple is selected again, and for ICE_WARY_US only a tuple that media came from is taken.
 *
 * What is not authenticated is met with silence and changes nothing: no state, no answer, so no amplification. Authenticated
 * requests with a role conflict are answered 487, with an unknown comprehension-required attribute 420.
 */
#ifndef ALTHING_WORKER_ICE_ICE_H
#define ALTHING_WORKER_ICE_ICE_H

#include "worker/wire/dgram.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ICE_TUPLES_MAX   8
#define ICE_UFRAG_MAX    256 /* RFC 8445 5.3 */
#define ICE_PASSWORD_MAX 256
#define ICE_REPLY_MAX    512      /* no answer is longer */
#define ICE_CONSENT_US   30000000 /* RFC 7675 5.1 */
#define ICE_PROBATION_US 8000000  /* longer than between two consent checks (RFC 7675 5.1: 6 s at most) */
#define ICE_WARY_US      60000000

struct ice;

enum ice_state { ICE_NEW, ICE_CONNECTED, ICE_COMPLETED, ICE_DISCONNECTED };

/* Called from within ice_input(), ice_media_from(), ice_timer() and ice_forget(). */
struct ice_handlers {
    void (*state)(enum ice_state from, enum ice_state to, void *arg);
    void (*tuple_added)(const struct tuple *t, void *arg);
    void (*tuple_removed)(const struct tuple *t, void *arg);
    void (*selected)(const struct tuple *t, void *arg); /* media goes there from now on */
};

/* The user name fragment that a Binding request is for (the part of USERNAME before the colon; RFC 8445 7.2.2), without any check
 * of who sent it. Pure. 0 with a NUL-ended copy in ufrag, or -EBADMSG. */
int ice_peek_ufrag(const uint8_t *msg, size_t len, char *ufrag, size_t cap);

/* 0 or -EINVAL (lengths). `consent_us` 0: consent never expires. Handlers are borrowed. */
int ice_new(struct ice **ip, const char *ufrag, const char *password, int64_t consent_us,
            const struct ice_handlers *handlers, void *arg);
void ice_free(struct ice *ice); /* calls no handler; NULL is fine */

/* A STUN message (first byte 0..3). Returns the length of the answer in `reply` (room for ICE_REPLY_MAX), to be sent back to
 * `from`; 0: silence. */
size_t ice_input(struct ice *ice, const struct tuple *from, const uint8_t *msg, size_t len,
                 int64_t now_us, uint8_t reply[static ICE_REPLY_MAX]);
bool ice_is_valid(const struct ice *ice, const struct tuple *t);
const struct tuple *ice_selected(const struct ice *ice); /* NULL: none */
enum ice_state ice_state(const struct ice *ice);
/* Authenticated media came from that tuple: it becomes the selected one if it is valid and none has been nominated. */
void ice_media_from(struct ice *ice, const struct tuple *from);
void ice_forget_sock(struct ice *ice, uint32_t sock); /* a TCP connection ended */
/* New credentials (RFC 8445 9). The old ones are taken until the first request with the new ones. 0 or -EINVAL. */
int ice_restart(struct ice *ice, const char *ufrag, const char *password);
const char *ice_ufrag(const struct ice *ice);
const char *ice_old_ufrag(const struct ice *ice); /* "": none any more */

int64_t ice_next_us(const struct ice *ice); /* TIME_NEVER_US: nothing is due */
void ice_timer(struct ice *ice, int64_t now_us);

#endif
