/* countdown.h - a room's countdown timer. Pure: the caller gives the time, in milliseconds of any clock that does not go back.
 *
 * It is shown (enabled) or not, set to a time of at most 23:59:59, started, stopped, and comes to its end once.
 */
#ifndef ALTHING_SERVER_ROOM_COUNTDOWN_H
#define ALTHING_SERVER_ROOM_COUNTDOWN_H

#include <stdbool.h>
#include <stdint.h>

#define COUNTDOWN_TEXT 9 /* "HH:MM:SS" and its NUL */

struct countdown {
    bool enabled, started;
    uint32_t initial_s;   /* what it was set to */
    uint32_t remaining_s; /* while it stands */
    int64_t ends_ms;      /* while it runs */
};

void countdown_init(struct countdown *c);
void countdown_set(struct countdown *c, uint32_t seconds); /* it stands */
/* False: nothing remains, or it runs already. */
bool countdown_start(struct countdown *c, int64_t now_ms);
bool countdown_stop(struct countdown *c, int64_t now_ms); /* false: it did not run */
/* True, once: it has come to its end, and stands at zero. */
bool countdown_ended(struct countdown *c, int64_t now_ms);
uint32_t countdown_remaining(const struct countdown *c, int64_t now_ms); /* seconds, rounded up */

bool countdown_parse(const char *text, uint32_t *seconds); /* "HH:MM:SS", two digits each */
void countdown_print(char text[COUNTDOWN_TEXT], uint32_t seconds);

#endif
