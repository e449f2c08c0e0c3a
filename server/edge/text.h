/* text.h - small questions about text from strangers. Pure: no allocation. */
#ifndef ALTHING_SERVER_EDGE_TEXT_H
#define ALTHING_SERVER_EDGE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* UTF-8 (RFC 3629: no surrogates, nothing overlong) without control characters. */
bool text_is_clean(const char *text, size_t len);
/* %41 becomes A, once; `+` a space. `out` has room for len bytes. 0, or -EBADMSG (a % without two hex digits). */
int text_percent_decode(char *out, size_t *out_len, const char *text, size_t len);
/* The reverse, but for letters, digits and the bytes of `keep`. Returns the length; 0 if `cap` is too small or there is nothing. */
size_t text_percent_encode(char *out, size_t cap, const char *text, size_t len, const char *keep);

#endif
