/* mem.h - allocation on the control path: it succeeds, or the process ends and is restarted. The packet path does not allocate. */
#ifndef ALTHING_LIB_MEM_H
#define ALTHING_LIB_MEM_H

#include <stddef.h>

void *mem_zalloc(size_t size) __attribute__((malloc, returns_nonnull));           /* zeroed */
void *mem_calloc(size_t count, size_t size) __attribute__((malloc, returns_nonnull));
void *mem_realloc(void *p, size_t count, size_t size) __attribute__((returns_nonnull)); /* overflow-checked */
char *mem_strdup(const char *s) __attribute__((malloc, returns_nonnull));

#endif
