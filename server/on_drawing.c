/* The shared canvas of a room. Who moderates shows and hides it; while it is shown, everybody may draw. */
#include "lib/clock.h"
#include "server/on.h"

#include <errno.h>
#include <string.h>

json_t *on_drawing_state(const struct room *r, bool objects)
{
    const struct drawing *d = &r->drawing;
    return json_pack("{sb, ss, so}", "isEnabled", d->enabled, "bgColor", d->color, "canvasState",
                     objects ? drawing_objects(d) : json_array());
}

void on_drawing_enable(struct call *c)
{
    struct room *r = c->peer->room;
    if (!r->drawing.enabled)
        hub_broadcast(r, c->peer, "moderator:enabledDrawing", NULL);
    r->drawing.enabled = true;
    call_ok(c, NULL);
}

void on_drawing_disable(struct call *c)
{
    struct room *r = c->peer->room;
    if (r->drawing.enabled)
        hub_broadcast(r, c->peer, "disabledDrawing", NULL);
    r->drawing.enabled = false;
    drawing_clear(&r->drawing);
    call_ok(c, NULL);
}

void on_drawing_clear(struct call *c)
{
    struct room *r = c->peer->room;
    drawing_clear(&r->drawing);
    hub_broadcast(r, c->peer, "clearCanvas", NULL);
    call_ok(c, NULL);
}

static bool shown(struct call *c)
{
    if (!c->peer->room->drawing.enabled)
        call_error(c, "there is no canvas now");
    return c->peer->room->drawing.enabled;
}

/* data is the bare string. */
void on_drawing_color(struct call *c)
{
    struct room *r = c->peer->room;
    const char *color = json_string_value(c->data);
    if (!shown(c))
        return;
    if (!color || !drawing_set_color(&r->drawing, color)) {
        call_limit(c, "the colour is missing or malformed");
        return;
    }
    hub_broadcast(r, c->peer, "setDrawingBgColor", json_pack("{ss}", "bgColor", color));
    call_ok(c, json_pack("{ss}", "bgColor", color));
}

/* "editing" and "lock" say that somebody has an object in hand: told, not kept. */
static int apply(struct room *r, const json_t *object, const char *status)
{
    if (!json_is_object(object))
        return -EINVAL;
    if (status && (!strcmp(status, "editing") || !strcmp(status, "lock")))
        return 0;
    return drawing_change(&r->drawing, object, status);
}

void on_drawing_update(struct call *c)
{
    struct room *r = c->peer->room;
    const json_t *object = json_object_get(c->data, "object");
    const char *status = call_string(c, "status");
    if (!shown(c))
        return;
    size_t bytes = json_dumpb(object, NULL, 0, JSON_COMPACT);
    if (bytes <= DRAWING_OBJECT_MAX && !room_may_tell_picture(r, bytes, clock_now_us())) {
        call_error(c, "too much is drawn at once");
        return;
    }
    int err = bytes <= DRAWING_OBJECT_MAX ? apply(r, object, status) : -EINVAL;
    if (err == -ENOSPC) {
        call_error(c, "the canvas is full");
    } else if (err) {
        call_limit(c, "object or status is missing, malformed or too large");
    } else {
        json_t *action = json_pack("{so, ss}", "object", json_deep_copy(object), "status", status);
        hub_broadcast(r, c->peer, "updateCanvas", json_pack("{sO}", "action", action));
        call_ok(c, json_pack("{so}", "canvasAction", action));
    }
}
