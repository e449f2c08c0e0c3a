#include "worker/route/path.h"

#include "worker/route/state.h"

struct transport *path_owner(const struct engine *e, const struct tuple *tuple)
{
    struct path *p = NULL;
    HASH_FIND(hh, e->paths, tuple, sizeof(*tuple), p);
    return p ? p->transport : NULL;
}

bool path_claim(struct path *p, struct transport *t, const struct tuple *tuple)
{
    if (path_owner(t->engine, tuple))
        return false;
    p->tuple = *tuple;
    p->transport = t;
    HASH_ADD(hh, t->engine->paths, tuple, sizeof(p->tuple), p);
    return true;
}

void path_drop(struct engine *e, struct path *p)
{
    if (!p->transport)
        return;
    HASH_DEL(e->paths, p);
    p->transport = NULL;
}
