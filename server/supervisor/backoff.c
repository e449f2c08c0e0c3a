#include "server/supervisor/backoff.h"

#include "lib/clock.h"

int64_t backoff_wait_us(struct backoff *b, int64_t lived_us)
{
    if (lived_us >= BACKOFF_CALM_US)
        b->next_us = 0;
    int64_t wait_us = b->next_us;
    b->next_us = wait_us ? time_min_us(wait_us * 2, BACKOFF_MAX_US) : BACKOFF_FIRST_US;
    return wait_us;
}
