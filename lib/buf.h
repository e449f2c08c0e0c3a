/* buf.h - bytes that grow at their end, up to a bound. What would pass the bound is not added and sets `full`, which stays. */
#ifndef ALTHING_LIB_BUF_H
#define ALTHING_LIB_BUF_H

#include <stdbool.h>
#include <stddef.h>

struct buf {
    char *data;
    size_t len, cap;
    size_t max; /* bytes */
    bool full;
};

void buf_init(struct buf *b, size_t max);
void buf_free(struct buf *b); /* may be used again afterwards, empty */
void buf_clear(struct buf *b);
void buf_add(struct buf *b, const void *data, size_t len);
void buf_puts(struct buf *b, const char *s);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
