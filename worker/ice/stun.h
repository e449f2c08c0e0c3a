/* stun.h - what ice needs of a STUN Binding request before libnice parses it (RFC 8489 5, 14). Pure. */
#ifndef ALTHING_WORKER_ICE_STUN_H
#define ALTHING_WORKER_ICE_STUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STUN_USERNAME_TYPE  0x0006
#define STUN_INTEGRITY_TYPE 0x0008

/* The first attribute of a type in a well-formed Binding request: its value, or NULL. */
const uint8_t *stun_attribute(const uint8_t *msg, size_t len, uint16_t type, size_t *value_len);
/* Whether MESSAGE-INTEGRITY (RFC 8489 14.5) fits the password; compared in constant time. */
bool stun_authentic(const uint8_t *msg, size_t len, const char *password);

#endif
