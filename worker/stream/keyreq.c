#include "worker/stream/keyreq.h"

#include "lib/clock.h"

void keyreq_init(struct keyreq *k)
{
    *k = (struct keyreq){0};
}

void keyreq_ask(struct keyreq *k)
{
    k->wanted = true;
}

void keyreq_key_frame(struct keyreq *k)
{
    k->wanted = false;
    k->tries = 0;
}

int64_t keyreq_next_us(const struct keyreq *k)
{
    if (!k->wanted)
        return TIME_NEVER_US;
    if (!k->ever_sent)
        return 0;
    return k->sent_us + (k->tries ? KEYREQ_RESEND_US : KEYREQ_SPACING_US);
}

bool keyreq_due(struct keyreq *k, int64_t now_us)
{
    if (now_us < keyreq_next_us(k))
        return false;
    if (k->tries > KEYREQ_RETRIES) {
        keyreq_key_frame(k); /* nobody is there; who still wants one asks again */
        return false;
    }
    k->tries++;
    k->sent_us = now_us;
    k->ever_sent = true;
    return true;
}
