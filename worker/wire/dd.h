/* dd.h - the dependency descriptor (AV1 RTP specification, appendix A). Pure.
 *
 * A descriptor names a template of the stream's structure, which comes with key frames only: who reads descriptors keeps the last
 * structure. One is bounded to DD_TEMPLATES templates, DD_TARGETS decode targets and 4 x 8 layers by the format itself.
 */
#ifndef ALTHING_WORKER_WIRE_DD_H
#define ALTHING_WORKER_WIRE_DD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DD_TEMPLATES 64
#define DD_TARGETS   32
#define DD_CHAINS    8 /* that are read; the format allows 32, encoders make one a spatial layer */

enum dd_dti { DD_NOT_PRESENT, DD_DISCARDABLE, DD_SWITCH, DD_REQUIRED };

struct dd_template {
    uint8_t spatial, temporal;
    uint8_t chain_diff[DD_CHAINS];
    uint64_t dti; /* two bits (enum dd_dti) a decode target, target 0 lowest */
};

struct dd_structure {
    bool known;
    uint8_t id_offset;   /* of the templates, 0..63 */
    uint8_t n_templates; /* at least 1 when known */
    uint8_t n_targets;   /* 1..DD_TARGETS */
    uint8_t n_chains;    /* 0..n_targets */
    struct dd_template templates[DD_TEMPLATES];
    /* What a decode target needs at most. */
    uint8_t target_spatial[DD_TARGETS], target_temporal[DD_TARGETS];
    uint8_t target_chain[DD_TARGETS]; /* the chain that protects it; only with n_chains, may be DD_CHAINS or more: not read */
};

struct dd {
    uint16_t frame_number;
    uint8_t template_id; /* as sent, 0..63 */
    uint8_t spatial, temporal;
    bool start, end;    /* of the frame */
    bool has_structure; /* so a key frame; *s is the new one */
    bool has_active;    /* active_targets was sent */
    uint32_t active_targets;
    uint64_t dti; /* of this frame: the template's or its own */
    /* How many frame numbers before this one the frame before it in the chain is; 0: the chain begins here. */
    uint8_t chain_diff[DD_CHAINS];
};

static inline enum dd_dti dd_dti_of(uint64_t dti, unsigned target)
{
    return (enum dd_dti)(dti >> (2 * target) & 3);
}

/* 0; -EBADMSG: malformed, *s is as before; -ENOENT: it names a template that *s does not have (before the first structure):
 * only the mandatory fields of *out are set. */
int dd_parse(const uint8_t *data, size_t len, struct dd_structure *s, struct dd *out);

#endif
