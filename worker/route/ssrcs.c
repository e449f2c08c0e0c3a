#include "worker/route/ssrcs.h"

#include "lib/mem.h"

#include <errno.h>
#include <stdlib.h>

static size_t place(const struct ssrcs *s, uint32_t ssrc)
{
    size_t i = (ssrc * 2654435761u) & (s->cap - 1);
    while (s->table[i] && s->table[i] != ssrc)
        i = (i + 1) & (s->cap - 1);
    return i;
}

bool ssrcs_has(const struct ssrcs *s, uint32_t ssrc)
{
    return s->cap && s->table[place(s, ssrc)] == ssrc;
}

static void grow(struct ssrcs *s)
{
    struct ssrcs bigger = {.cap = s->cap ? s->cap * 2 : 16};
    bigger.table = mem_calloc(bigger.cap, sizeof(*bigger.table));
    for (size_t i = 0; i < s->cap; i++) {
        if (s->table[i])
            bigger.table[place(&bigger, s->table[i])] = s->table[i];
    }
    bigger.count = s->count;
    free(s->table);
    *s = bigger;
}

int ssrcs_add(struct ssrcs *s, uint32_t ssrc)
{
    if (ssrcs_has(s, ssrc))
        return -EEXIST;
    if (s->count >= SSRCS_MAX)
        return -ENOSPC;
    if (s->count * 2 >= s->cap)
        grow(s);
    s->table[place(s, ssrc)] = ssrc;
    s->count++;
    return 0;
}

void ssrcs_clear(struct ssrcs *s)
{
    free(s->table);
    *s = (struct ssrcs){0};
}
