/* keep_int.h - what the files of the keeper share: keep.c writes and listens, keep_doc.c knows the documents, keep_load.c
 * restores.
 */
#ifndef ALTHING_SERVER_KEEP_INT_H
#define ALTHING_SERVER_KEEP_INT_H

#include "server/keep.h"

#define KEEP_NAME_MAX 64
#define KEEP_MIDS     1000 /* of consumers that may have been made and not kept */
#define KEEP_MIDS_SPREAD 1000000 /* a transport goes on somewhere in there */

struct keep {
    struct hub *hub;
    struct store *store;
    struct change *queue; /* list */
    uv_timer_t *timer;    /* its own allocation: it outlives us until libuv let go of it */
    int64_t alive_ms;     /* when that was last written */
    char prefix[KEEP_NAME_MAX + 8];
};

/* ---- keep_doc.c: what a document says; new references. NULL: there is none ---- */

json_t *keep_doc_room(const struct room *r);
json_t *keep_doc_peer(const struct peer *p);
json_t *keep_doc_object(struct object *o);
json_t *keep_doc_chat(const struct chat_entry *e);

/* ---- and back. A document that is malformed is left out: NULL, false. `key` is what stands in the documents' names. ---- */

struct room *keep_make_room(struct hub *h, const json_t *doc);
struct peer *keep_make_peer(struct hub *h, const json_t *doc, int64_t now_us);
bool keep_make_object(struct hub *h, const json_t *doc);

/* ---- keep_load.c ---- */

int keep_load(struct keep *k, int64_t now_us); /* 0 or -EIO: there are no rooms */

#endif
