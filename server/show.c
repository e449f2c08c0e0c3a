#include "server/show.h"

#include <stdio.h>

_Static_assert(offsetof(struct room, change) == 0 && offsetof(struct peer, change) == 0 &&
                   offsetof(struct object, change) == 0 &&
                   offsetof(struct data_producer, change) == 0 &&
                   offsetof(struct data_consumer, change) == 0,
               "show_changed_*()");

/* ---- members -------------------------------------------------------------------------------------------------------------------- */

void show_text(json_t *object, const char *key, const char *text)
{
    json_t *s = json_string(text);
    json_object_set_new(object, key, s ? s : json_string(""));
}

void show_number(json_t *object, const char *key, uint64_t n)
{
    json_object_set_new(object, key, json_integer(n > INT64_MAX ? INT64_MAX : (json_int_t)n));
}

static void show_bool(json_t *object, const char *key, bool value)
{
    json_object_set_new(object, key, json_boolean(value));
}

void show_addr(json_t *object, const char *key, const struct addr *a)
{
    char text[ADDR_STR_MAX];
    addr_format(a, text);
    show_text(object, key, text);
}

static json_t *layers_or_null(int spatial, int temporal)
{
    return spatial < 0 ? json_null()
                       : json_pack("{si, si}", "spatial", spatial, "temporal", temporal);
}

const char *show_ice_state(const struct transport *t)
{
    static const char *const names[] = {"new", "connected", "completed", "disconnected"};
    return t->ice_state < sizeof(names) / sizeof(names[0]) ? names[t->ice_state] : "";
}

const char *show_dtls_state(const struct transport *t)
{
    static const char *const names[] = {"new", "connecting", "connected", "failed", "closed"};
    return t->dtls_state < sizeof(names) / sizeof(names[0]) ? names[t->dtls_state] : "";
}

/* ---- names ---------------------------------------------------------------------------------------------------------------------- */

void show_router_id(const struct media_router *r, char id[static SHOW_ROUTER_ID_MAX])
{
    snprintf(id, SHOW_ROUTER_ID_MAX, "%llu", (unsigned long long)media_router_handle(r));
}

static json_t *name_room(const struct room *r)
{
    json_t *o = json_object();
    show_text(o, "roomId", r->id);
    return o;
}

static json_t *name_peer(const struct peer *p)
{
    json_t *o = name_room(p->room);
    show_text(o, "peerId", p->id);
    return o;
}

static json_t *name_router(const struct media_router *r)
{
    char id[SHOW_ROUTER_ID_MAX];
    json_t *o = name_room(media_router_user(r));
    show_router_id(r, id);
    show_text(o, "routerId", id);
    return o;
}

static json_t *name_object(const struct object *o, const char *as)
{
    json_t *name = name_peer(object_peer((struct object *)(uintptr_t)o));
    show_text(name, as, o->id);
    return name;
}

static json_t *name_data(const struct transport *t, const char *as, const char *id)
{
    json_t *name = name_peer(t->peer);
    show_text(name, as, id);
    return name;
}

static const char *id_member(enum observer_kind kind)
{
    switch (kind) {
    case OBSERVER_TRANSPORT:
        return "transportId";
    case OBSERVER_PRODUCER:
        return "producerId";
    case OBSERVER_SCORE:
        return "id";
    default:
        return "consumerId";
    }
}

json_t *show_name(enum observer_kind kind, const struct change *c)
{
    switch (c->type) {
    case CHANGE_ROOM:
        return name_room(show_changed_room(c));
    case CHANGE_PEER:
        return name_peer(show_changed_peer(c));
    case CHANGE_ROUTER:
        return name_router(media_changed_router(c));
    case CHANGE_OBJECT:
        return name_object(show_changed_object(c), id_member(kind));
    case CHANGE_DATA_PRODUCER:
        return name_data(show_changed_data_producer(c)->transport, "dataProducerId",
                         show_changed_data_producer(c)->id);
    case CHANGE_DATA_CONSUMER:
        return name_data(show_changed_data_consumer(c)->transport, "dataConsumerId",
                         show_changed_data_consumer(c)->id);
    case CHANGE_PLACE:
    case CHANGE_SESSION:
        break;
    }
    return json_pack("{sI}", "index", (json_int_t)media_changed_place(c));
}

/* ---- workers and rooms ---------------------------------------------------------------------------------------------------------- */

json_t *show_worker(const struct hub *h, uint32_t index)
{
    const struct media_worker *w = media_worker_at(h->media, index);
    return json_pack("{sI, si, sb}", "index", (json_int_t)index, "pid",
                     w ? (int)media_worker_pid(w) : 0, "up", w && media_worker_answers(w));
}

static void show_carrier(json_t *o, const struct media_router *r)
{
    const struct media_worker *w = r ? media_router_worker(r) : NULL;
    json_object_set_new(o, "worker", w ? json_integer(media_worker_index(w)) : json_null());
}

static void show_pid(json_t *o, const struct media_router *r)
{
    json_object_set_new(o, "pid", json_integer(r ? media_worker_pid(media_router_worker(r)) : 0));
}

json_t *show_router(const struct media_router *r)
{
    json_t *o = name_router(r);
    show_carrier(o, r);
    show_pid(o, r);
    return o;
}

json_t *show_room(const struct room *r)
{
    size_t lobby = room_lobby_count(r);
    json_t *o = name_room(r);
    show_text(o, "sessionId", r->main.id);
    show_number(o, "createdAt", (uint64_t)r->main.created_ms);
    show_number(o, "peers", r->n_peers - lobby);
    show_number(o, "lobby", lobby);
    show_number(o, "breakouts", r->n_breakouts);
    show_bool(o, "locked", r->locked);
    show_carrier(o, r->spread ? spread_router(r->spread, 0) : NULL);
    return o;
}

json_t *show_chat(const struct room *r)
{
    size_t messages = r->main.chat.count, files = r->main.files.count;
    for (const struct room_session *s = r->breakouts; s; s = s->next) {
        messages += s->chat.count;
        files += s->files.count;
    }
    json_t *o = name_room(r);
    show_number(o, "messages", messages);
    show_number(o, "files", files);
    return o;
}

json_t *show_peer(const struct peer *p)
{
    json_t *o = name_peer(p);
    show_text(o, "displayName", p->display_name);
    show_text(o, "userAgent", p->user_agent);
    show_text(o, "address", p->address);
    show_bool(o, "connected", p->session != NULL);
    if (p->state == PEER_LOBBY)
        return o;
    show_bool(o, "joined", p->state == PEER_JOINED);
    show_text(o, "sessionId", p->in->id);
    show_bool(o, "raisedHand", p->raised_hand);
    show_bool(o, "recording", p->recording);
    json_t *perms = json_array();
    for (unsigned i = 0; i < PERM_COUNT; i++) {
        if (perm_has(p->perms, (enum perm)i))
            json_array_append_new(perms, json_string(perm_name((enum perm)i)));
    }
    json_object_set_new(o, "permissions", perms);
    return o;
}

/* ---- media objects -------------------------------------------------------------------------------------------------------------- */

static json_t *show_transport(const struct transport *t)
{
    json_t *o = name_object(&t->obj, "transportId");
    show_text(o, "direction", t->direction == DIRECTION_SEND ? "send" : "recv");
    show_carrier(o, t->peer->media);
    show_pid(o, t->peer->media);
    show_text(o, "iceState", show_ice_state(t));
    show_text(o, "dtlsState", show_dtls_state(t));
    if (t->selected) {
        show_text(o, "protocol", t->tcp ? "tcp" : "udp");
        show_addr(o, "local", &t->local);
        show_addr(o, "remote", &t->remote);
    }
    return o;
}

static json_t *show_producer(const struct producer *p)
{
    json_t *o = name_object(&p->obj, "producerId");
    show_text(o, "transportId", p->transport->obj.id);
    show_text(o, "kind", p->video ? "video" : "audio");
    show_text(o, "codec", p->codec);
    show_text(o, "source", p->source);
    show_bool(o, "paused", p->paused);
    show_number(o, "spatialLayers", p->layers);
    show_number(o, "temporalLayers", p->temporal_layers);
    show_pid(o, p->transport->peer->media);
    return o;
}

static json_t *show_consumer(const struct consumer *c)
{
    json_t *o = name_object(&c->obj, "consumerId");
    show_text(o, "transportId", c->transport->obj.id);
    show_text(o, "producerId", c->producer->obj.id);
    show_text(o, "kind", c->producer->video ? "video" : "audio");
    show_text(o, "codec", c->producer->codec);
    show_number(o, "ssrc", c->ssrc);
    show_number(o, "rtxSsrc", c->rtx_ssrc);
    show_text(o, "mid", c->mid);
    show_bool(o, "paused", c->paused);
    show_pid(o, c->transport->peer->media);
    return o;
}

json_t *show_object(const struct object *o)
{
    switch (o->type) {
    case OBJECT_TRANSPORT:
        return show_transport((const struct transport *)o);
    case OBJECT_PRODUCER:
        return show_producer((const struct producer *)o);
    case OBJECT_CONSUMER:
        break;
    }
    return show_consumer((const struct consumer *)o);
}

json_t *show_data_producer(const struct data_producer *p)
{
    json_t *o = name_data(p->transport, "dataProducerId", p->id);
    show_text(o, "transportId", p->transport->obj.id);
    show_text(o, "label", p->label);
    show_text(o, "protocol", p->protocol);
    return o;
}

json_t *show_data_consumer(const struct data_consumer *c)
{
    json_t *o = name_data(c->transport, "dataConsumerId", c->id);
    show_text(o, "transportId", c->transport->obj.id);
    show_text(o, "dataProducerId", c->producer->id);
    show_text(o, "label", c->producer->label);
    show_text(o, "protocol", c->producer->protocol);
    return o;
}

json_t *show_score(const struct object *object)
{
    json_t *o = name_object(object, "id");
    show_text(o, "of", object->type == OBJECT_PRODUCER ? "producer" : "consumer");
    show_number(o, "score", object->score);
    return o;
}

json_t *show_layers(const struct consumer *c)
{
    json_t *o = name_object(&c->obj, "consumerId");
    json_object_set_new(o, "preferred",
                        layers_or_null(c->preferred_spatial, c->preferred_temporal));
    json_object_set_new(o, "current", layers_or_null(c->spatial, c->temporal));
    return o;
}

/* ---- whatever it is ------------------------------------------------------------------------------------------------------------- */

static uint32_t object_kinds(const struct object *o)
{
    if (!o->confirmed)
        return 0;
    switch (o->type) {
    case OBJECT_TRANSPORT:
        return OBSERVER_BIT(OBSERVER_TRANSPORT);
    case OBJECT_PRODUCER:
        return OBSERVER_BIT(OBSERVER_PRODUCER) | OBSERVER_BIT(OBSERVER_SCORE);
    case OBJECT_CONSUMER:
        break;
    }
    return OBSERVER_BIT(OBSERVER_CONSUMER) | OBSERVER_BIT(OBSERVER_SCORE) |
           (((const struct consumer *)o)->producer->video ? OBSERVER_BIT(OBSERVER_LAYERS) : 0);
}

uint32_t show_kinds(const struct hub *h, const struct change *c)
{
    switch (c->type) {
    case CHANGE_ROOM:
        return OBSERVER_BIT(OBSERVER_ROOM) | OBSERVER_BIT(OBSERVER_CHAT);
    case CHANGE_PEER:
        return show_changed_peer(c)->state == PEER_LOBBY ? OBSERVER_BIT(OBSERVER_LOBBY)
                                                         : OBSERVER_BIT(OBSERVER_PEER);
    case CHANGE_OBJECT:
        return object_kinds(show_changed_object(c));
    case CHANGE_DATA_PRODUCER:
        return show_changed_data_producer(c)->confirmed ? OBSERVER_BIT(OBSERVER_DATA_PRODUCER) : 0;
    case CHANGE_DATA_CONSUMER:
        return show_changed_data_consumer(c)->confirmed ? OBSERVER_BIT(OBSERVER_DATA_CONSUMER) : 0;
    case CHANGE_ROUTER:
        return OBSERVER_BIT(OBSERVER_ROUTER);
    case CHANGE_PLACE:
    case CHANGE_SESSION:
        break;
    }
    return media_changed_place(c) < media_places(h->media) ? OBSERVER_BIT(OBSERVER_WORKER) : 0;
}

json_t *show_as(const struct hub *h, enum observer_kind kind, const struct change *c)
{
    switch (kind) {
    case OBSERVER_WORKER:
        return show_worker(h, media_changed_place(c));
    case OBSERVER_ROUTER:
        return show_router(media_changed_router(c));
    case OBSERVER_ROOM:
        return show_room(show_changed_room(c));
    case OBSERVER_CHAT:
        return show_chat(show_changed_room(c));
    case OBSERVER_PEER:
    case OBSERVER_LOBBY:
        return show_peer(show_changed_peer(c));
    case OBSERVER_SCORE:
        return show_score(show_changed_object(c));
    case OBSERVER_LAYERS:
        return show_layers((const struct consumer *)show_changed_object(c));
    case OBSERVER_DATA_PRODUCER:
        return show_data_producer(show_changed_data_producer(c));
    case OBSERVER_DATA_CONSUMER:
        return show_data_consumer(show_changed_data_consumer(c));
    default:
        return show_object(show_changed_object(c));
    }
}
