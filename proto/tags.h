/* tags.h - what a worker can be told to log of its own while it runs (SetLog of worker.proto): the names that operators know. */
#ifndef ALTHING_PROTO_TAGS_H
#define ALTHING_PROTO_TAGS_H

#include <stdint.h>

enum tag {
    TAG_INFO, /* requests that were refused */
    TAG_ICE,
    TAG_DTLS,
    TAG_RTP, /* of this one and the next three: what was dropped or missed, once a second */
    TAG_SRTP,
    TAG_RTCP,
    TAG_RTX,
    TAG_BWE,
    TAG_SCORE,
    TAG_SIMULCAST, /* other layers are sent to a consumer; svc says the same */
    TAG_SVC,
    TAG_SCTP,
    TAGS,
};

#define TAG_BIT(tag) (UINT32_C(1) << (tag))

const char *tag_name(enum tag tag);
int tag_of(const char *name); /* or -1 */

#endif
