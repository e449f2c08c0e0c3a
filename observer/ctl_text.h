/* ctl_text.h - text for a terminal: what strangers have chosen is made harmless, numbers are made short.
 *
 * Names, ids and addresses come from whoever joins a room. ctl_text_clean() lets through what has a width of its own and nothing
 * that moves the cursor, changes colours or the direction of writing, hides, or piles up: controls (C0, C1, DEL), separators of
 * lines, bidirectional and other format characters, and more than two combining marks in a row become '?', and so does whatever
 * is not UTF-8. Without a UTF-8 locale everything but ASCII does.
 */
#ifndef ALTHING_OBSERVER_CTL_TEXT_H
#define ALTHING_OBSERVER_CTL_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void ctl_text_init(bool utf8);

/* At most `columns` of them; what is cut off ends in "~". Returns how many columns it takes. cap: bytes, at least 8. */
size_t ctl_text_clean(char *to, size_t cap, const char *from, size_t columns);
/* The same, to be freed; all of it. */
char *ctl_text_clean_dup(const char *from);

#define CTL_NUMBER_MAX 24
const char *ctl_text_rate(char out[static CTL_NUMBER_MAX], int64_t bits_per_s);   /* "850k", "2.4M" */
const char *ctl_text_bytes(char out[static CTL_NUMBER_MAX], int64_t bytes);       /* "1.2G" */
const char *ctl_text_share(char out[static CTL_NUMBER_MAX], int64_t of_256);      /* "3.1%" */
const char *ctl_text_ms(char out[static CTL_NUMBER_MAX], int64_t us);             /* "42ms" */
const char *ctl_text_age(char out[static CTL_NUMBER_MAX], int64_t seconds);       /* "3h05m" */

/* A word may be cut to its beginning, as ids are for people; 8 characters are shown. */
#define CTL_ID_SHOWN 8

#endif
