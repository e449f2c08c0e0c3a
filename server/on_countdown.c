/* The countdown timer of a room. The clients count for themselves; the server says where it stands at each change, and when it ends. */
#include "lib/clock.h"
#include "server/on.h"

static int64_t now_ms(void)
{
    return clock_now_us() / 1000;
}

static json_t *text_of(uint32_t seconds)
{
    char text[COUNTDOWN_TEXT];
    countdown_print(text, seconds);
    return json_string(text);
}

json_t *on_countdown_state(const struct room *r)
{
    const struct countdown *t = &r->countdown;
    return json_pack("{sb, sb, so, so}", "isEnabled", t->enabled, "isStarted", t->started,
                     "initialTime", text_of(t->initial_s), "remainingTime",
                     text_of(countdown_remaining(t, now_ms())));
}

static void enable(struct call *c, bool on)
{
    struct room *r = c->peer->room;
    r->countdown.enabled = on;
    hub_broadcast(r, c->peer,
                  on ? "moderator:enabledCountdownTimer" : "moderator:disabledCountdownTimer",
                  json_pack("{sb}", "isEnabled", on));
    call_ok(c, NULL);
}

void on_countdown_enable(struct call *c)
{
    enable(c, true);
}

void on_countdown_disable(struct call *c)
{
    enable(c, false);
}

static void tell_remaining(struct room *r)
{
    hub_broadcast(r, NULL, "moderator:settedCountdownTimerRemainingTime",
                  text_of(countdown_remaining(&r->countdown, now_ms())));
}

void on_countdown_start(struct call *c)
{
    struct room *r = c->peer->room;
    if (countdown_start(&r->countdown, now_ms())) {
        tell_remaining(r);
        hub_broadcast(r, NULL, "moderator:startedCountdownTimer",
                      json_pack("{sb}", "isStarted", 1));
    } else if (!r->countdown.started) {
        call_error(c, "the timer is at zero");
    }
    call_ok(c, NULL);
}

void on_countdown_stop(struct call *c)
{
    struct room *r = c->peer->room;
    if (countdown_stop(&r->countdown, now_ms())) {
        tell_remaining(r);
        hub_broadcast(r, NULL, "moderator:stoppedCountdownTimer",
                      json_pack("{sb}", "isStarted", 0));
    }
    call_ok(c, NULL);
}

/* data is the bare string. */
void on_countdown_set(struct call *c)
{
    struct room *r = c->peer->room;
    const char *text = json_string_value(c->data);
    uint32_t seconds;
    if (!text || !countdown_parse(text, &seconds)) {
        call_limit(c, "the time is missing or malformed");
        return;
    }
    bool ran = r->countdown.started;
    countdown_set(&r->countdown, seconds);
    if (ran)
        hub_broadcast(r, NULL, "moderator:stoppedCountdownTimer",
                      json_pack("{sb}", "isStarted", 0));
    hub_broadcast(r, NULL, "moderator:settedCountdownTimerInitialTime", text_of(seconds));
    tell_remaining(r);
    call_ok(c, NULL);
}

void on_countdown_tick(struct hub *h, int64_t now_us)
{
    for (struct room *r = rooms_after(&h->rooms, 0); r; r = r->hh.next) {
        if (!countdown_ended(&r->countdown, now_us / 1000))
            continue;
        room_changed(r);
        hub_broadcast(r, NULL, "moderator:finishedCountdownTimer",
                      json_pack("{sb, so}", "isStarted", 0, "remainingTime", text_of(0)));
    }
}
