/* binding.h - a controlling ICE agent's connectivity check and its answer: STUN Binding (RFC 8489, RFC 8445 7). Pure.
 *
 * Every check nominates: towards an ICE-lite server there is nothing to choose from (RFC 8445 8.1.1).
 */
#ifndef ALTHING_LOAD_BINDING_H
#define ALTHING_LOAD_BINDING_H

#include <stddef.h>
#include <stdint.h>

#define BINDING_MAX      640
#define BINDING_ID_LEN   12
#define BINDING_NAME_MAX 513 /* "theirs:ours" */

struct binding_check {
    const char *username; /* "their fragment:ours" */
    const char *password; /* theirs */
    uint64_t tie_breaker;
    uint32_t priority;
    uint8_t id[BINDING_ID_LEN];
};

/* Returns its length; 0: it does not fit. */
size_t binding_request(uint8_t *out, size_t cap, const struct binding_check *c);
/* The answer to a check with that id: 0; -EBADMSG: not an answer to it, or not authentic (ignore it); else minus the STUN error
 * code (400 ...), which is authentic too or has no integrity at all (RFC 8489 9.1.4: 400 and 401 need not). */
int binding_answer(const uint8_t *msg, size_t len, const char *password, const uint8_t id[static BINDING_ID_LEN]);

#endif
