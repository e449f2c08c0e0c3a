/* show.h - rooms, peers, media objects and workers as operators see them: the objects of proto/observer.md, each a new reference.
 * Read-only.
 */
#ifndef ALTHING_SERVER_SHOW_H
#define ALTHING_SERVER_SHOW_H

#include "observer/observer.h"
#include "server/hub.h"
#include "server/room/data.h"

/* Members of one's own, behind those that name it. */
json_t *show_worker(const struct hub *h, uint32_t index);
json_t *show_router(const struct media_router *r);
json_t *show_room(const struct room *r);
json_t *show_chat(const struct room *r);
json_t *show_peer(const struct peer *p); /* or one in the lobby */
json_t *show_object(const struct object *o);
json_t *show_data_producer(const struct data_producer *p);
json_t *show_data_consumer(const struct data_consumer *c);
json_t *show_score(const struct object *o);
json_t *show_layers(const struct consumer *c);

/* Only the members that name it. */
json_t *show_name(enum observer_kind kind, const struct change *c);

/* In which kinds it is to be seen now: bits; 0 as long as its worker does not have it. */
uint32_t show_kinds(const struct hub *h, const struct change *c);
json_t *show_as(const struct hub *h, enum observer_kind kind, const struct change *c);

/* What names a router: its handle. */
#define SHOW_ROUTER_ID_MAX 24
void show_router_id(const struct media_router *r, char id[static SHOW_ROUTER_ID_MAX]);

/* Text that may be no UTF-8 is shown as "". */
void show_text(json_t *object, const char *key, const char *text);
void show_number(json_t *object, const char *key, uint64_t n);
void show_addr(json_t *object, const char *key, const struct addr *a);
const char *show_ice_state(const struct transport *t); /* "completed" */
const char *show_dtls_state(const struct transport *t);

static inline struct room *show_changed_room(const struct change *c)
{
    return (struct room *)(uintptr_t)c; /* it is their first member */
}

static inline struct peer *show_changed_peer(const struct change *c)
{
    return (struct peer *)(uintptr_t)c;
}

static inline struct data_producer *show_changed_data_producer(const struct change *c)
{
    return (struct data_producer *)(uintptr_t)c;
}

static inline struct data_consumer *show_changed_data_consumer(const struct change *c)
{
    return (struct data_consumer *)(uintptr_t)c;
}

static inline struct object *show_changed_object(const struct change *c)
{
    return (struct object *)(uintptr_t)c;
}

#endif
