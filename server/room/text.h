/* text.h - is a string of a client fit to be kept and shown to others? Pure. */
#ifndef ALTHING_SERVER_ROOM_TEXT_H
#define ALTHING_SERVER_ROOM_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Valid UTF-8 (RFC 3629: no surrogates, nothing overlong), at most max bytes, no control character (U+0000..001F, 007F..009F). */
bool text_line(const char *s, size_t max);
/* The same, but tab and line ends may be in it. */
bool text_lines(const char *s, size_t max);
/* For ids: 1 to max printable ASCII characters, no space. */
bool text_id(const char *s, size_t max);

#endif
