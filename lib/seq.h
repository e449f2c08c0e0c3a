/* seq.h - arithmetic on numbers that wrap (RFC 1982, RFC 3550 A.1). All comparisons of sequence numbers and timestamps go here. */
#ifndef ALTHING_LIB_SEQ_H
#define ALTHING_LIB_SEQ_H

#include <stdbool.h>
#include <stdint.h>

/* The signed distance from b to a; an exact half-turn counts as behind. */
static inline int seq16_diff(uint16_t a, uint16_t b)
{
    return (int16_t)(uint16_t)(a - b);
}

static inline bool seq16_newer(uint16_t a, uint16_t b)
{
    return seq16_diff(a, b) > 0;
}

static inline int32_t seq32_diff(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b);
}

static inline bool seq32_newer(uint32_t a, uint32_t b)
{
    return seq32_diff(a, b) > 0;
}

/* The 64-bit number nearest to `ref` whose low 16 (32) bits are `v`. */
static inline int64_t seq16_extend(uint16_t v, int64_t ref)
{
    return ref + seq16_diff(v, (uint16_t)ref);
}

static inline int64_t seq32_extend(uint32_t v, int64_t ref)
{
    return ref + seq32_diff(v, (uint32_t)ref);
}

#endif
