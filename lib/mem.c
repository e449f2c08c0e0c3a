#include "lib/mem.h"

#include "lib/log.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void out_of_memory(size_t size)
{
    log_error("mem", "out of memory size=%zu", size);
    abort();
}

void *mem_zalloc(size_t size)
{
    return mem_calloc(1, size);
}

void *mem_calloc(size_t count, size_t size)
{
    void *p = calloc(count ? count : 1, size ? size : 1);
    if (!p)
        out_of_memory(count * size);
    return p;
}

void *mem_realloc(void *p, size_t count, size_t size)
{
    void *q = reallocarray(p, count ? count : 1, size ? size : 1);
    if (!q)
        out_of_memory(count * size);
    return q;
}

char *mem_strdup(const char *s)
{
    size_t len = strlen(s) + 1;
    char *p = mem_zalloc(len);
    memcpy(p, s, len);
    return p;
}
