/* keyreq.h - when to ask a sender for a key frame, however often and by however many it is asked for.
 *
 * Invariant: at most one request is outstanding, and two are never sent within KEYREQ_SPACING_US. What is asked for meanwhile
 * is one request, sent when it may be; a key frame answers all that were asked for before it. Unanswered, it is sent once more
 * after KEYREQ_RESEND_US, KEYREQ_RETRIES times. Plain struct, one a received stream.
 */
#ifndef ALTHING_WORKER_STREAM_KEYREQ_H
#define ALTHING_WORKER_STREAM_KEYREQ_H

#include <stdbool.h>
#include <stdint.h>

#define KEYREQ_RESEND_US  1000000
#define KEYREQ_SPACING_US 500000
#define KEYREQ_RETRIES    5

struct keyreq {
    bool wanted;     /* asked for and no key frame since */
    uint8_t tries;   /* sent since it was wanted */
    int64_t sent_us; /* the last; only when ever_sent */
    bool ever_sent;
};

void keyreq_init(struct keyreq *k);
void keyreq_ask(struct keyreq *k);
void keyreq_key_frame(struct keyreq *k);
bool keyreq_due(struct keyreq *k, int64_t now_us); /* true: send one now, it counts as sent */
int64_t keyreq_next_us(const struct keyreq *k);    /* TIME_NEVER_US: nothing pending */

#endif
