/* rand.h - randomness that nobody can guess, from the kernel. Ends the process if the kernel has none (it always has). */
#ifndef ALTHING_LIB_RAND_H
#define ALTHING_LIB_RAND_H

#include <stddef.h>
#include <stdint.h>

void rand_bytes(void *out, size_t len);
uint32_t rand_u32(void);
void rand_token(char *out, size_t len);  /* `len` characters of [A-Za-z0-9], then a NUL: out has len + 1 bytes */
void rand_uuid(char out[static 37]);     /* version 4 (RFC 9562 5.4), lower case */

#endif
