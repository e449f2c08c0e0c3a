#include "lib/mem.h"
#include "worker/wire/dgram.h"

#include <stdlib.h>

void outbox_init(struct outbox *ob, outbox_flush_f *flush, void *arg)
{
    *ob = (struct outbox){.flush = flush, .arg = arg};
    ob->slots = mem_calloc(OUTBOX_SLOTS, sizeof(ob->slots[0]));
}

void outbox_free(struct outbox *ob)
{
    free(ob->slots);
    *ob = (struct outbox){0};
}

void outbox_flush(struct outbox *ob)
{
    if (ob->n)
        ob->flush(ob, ob->arg);
    ob->n = 0;
}

struct out_slot *outbox_take(struct outbox *ob, const struct tuple *to)
{
    if (ob->n == OUTBOX_SLOTS)
        outbox_flush(ob);
    struct out_slot *s = &ob->slots[ob->n++];
    s->to = *to;
    s->len = 0;
    s->rx_us = 0;
    return s;
}
