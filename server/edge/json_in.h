/* json_in.h - JSON from strangers: one way to read it (RFC 8259), or not at all.
 *
 * Refused: nesting deeper than asked for, counted before anything is allocated; two members of one name (whose meaning would depend
 * on the reader); NUL, escaped or not; text that is not UTF-8; numbers out of range; anything behind the value. Memory is bounded
 * by the length of the text, which the caller bounds.
 */
#ifndef ALTHING_SERVER_EDGE_JSON_IN_H
#define ALTHING_SERVER_EDGE_JSON_IN_H

#include <jansson.h>
#include <stddef.h>

/* How deep arrays and objects are nested (2 for [{}]), stopping at `max` + 1. Brackets in strings do not count. Pure. */
unsigned json_in_depth(const char *text, size_t len, unsigned max);
/* The value, an array or object, which the caller owns; or NULL, and *why is a constant sentence. `why` may be NULL. */
json_t *json_in(const char *text, size_t len, unsigned max_depth, const char **why);

#endif
