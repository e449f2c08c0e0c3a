/* What two peers that are alone in a session say to each other to connect directly. The server passes it on and looks no deeper than it
 * must: the other is in the same session, who produces has the permission for it, and only fields that belong there go through.
 * Direct connections tell either side the other's address, so all is refused unless the operator has turned them on.
 */
#include "lib/clock.h"
#include "server/on.h"
#include "server/room/text.h"

#include <string.h>

struct relay {
    const char *method;
    const char *fields[6]; /* what is passed on, with NULL at the end */
};

static const struct relay relays[] = {
    {"peerLoad", {"rtpCapabilities"}},
    {"peerConnect", {"dtlsParameters", "iceParameters", "direction"}},
    {"candidate", {"candidate", "direction"}},
    {"peerProduce", {"id", "kind", "rtpParameters", "appData"}},
    {"peerCloseProducer", {"producerId"}},
    {"peerPauseProducer", {"producerId"}},
    {"peerResumeProducer", {"producerId"}},
    {"pausePeerConsumer", {"consumerId"}},
    {"resumePeerConsumer", {"consumerId"}},
};

/* Who is meant: by peerId, or, without one, the only other peer of the session. */
static struct peer *other(const struct call *c)
{
    const char *id = call_string(c, "peerId");
    struct peer *found = NULL;
    size_t n = 0;
    ROOM_FOREACH_PEER(c->peer->room, p)
    {
        if (p == c->peer || p->state != PEER_JOINED || p->in != c->peer->in ||
            (id && strcmp(p->id, id) != 0))
            continue;
        found = p;
        n++;
    }
    return n == 1 ? found : NULL;
}

static bool may_produce(const struct call *c)
{
    const char *source =
        json_string_value(json_object_get(json_object_get(c->data, "appData"), "source"));
    enum perm perm = on_produce_perm(source);
    return perm != PERM_NONE && perm_has(c->peer->perms, perm);
}

/* data is stolen. */
static void pass_on(struct call *c, const struct peer *to, json_t *data)
{
    size_t bytes = json_dumpb(data, NULL, 0, JSON_COMPACT);
    if (bytes <= P2P_MAX && room_may_tell_picture(to->room, bytes, clock_now_us())) {
        hub_notify(to, c->method, data);
        call_ok(c, NULL);
        return;
    }
    json_decref(data);
    if (bytes > P2P_MAX)
        call_limit(c, "that is too much");
    else
        call_error(c, "too much at once");
}

void on_p2p(struct call *c)
{
    const struct relay *r = relays;
    while (strcmp(r->method, c->method) != 0)
        r++;
    struct peer *to = other(c);
    if (!c->hub->settings.p2p) {
        call_error(c, "there are no direct connections here");
    } else if (!to) {
        call_error(c, "no such peer");
    } else if (!strcmp(c->method, "peerProduce") && !may_produce(c)) {
        call_error(c, "permission to share this is missing");
    } else {
        json_t *data = json_pack("{ss}", "peerId", c->peer->id);
        for (const char *const *f = r->fields; *f; f++) {
            json_t *v = json_object_get(c->data, *f);
            if (v)
                json_object_set_new(data, *f, json_deep_copy(v));
        }
        pass_on(c, to, data);
    }
}
