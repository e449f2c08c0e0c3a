#include "observer/snapshot.h"
#include "observer/kinds.h"

#include <stdlib.h>
#include <string.h>

char *observer_json_text(const json_t *v)
{
    char *text = json_dumps(v, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_ENCODE_ANY);
    if (text && strlen(text) > OBSERVER_OBJECT_MAX) {
        free(text);
        return NULL;
    }
    return text;
}

static bool wanted(const struct observer_snapshot *s, unsigned kind)
{
    return (s->filter.kinds & OBSERVER_BIT(kind)) && observer_kind_name(kind)->list;
}

/* The first wanted list from s->kind on. False: none is left. */
static bool begin_list(struct observer_snapshot *s, struct buf *out)
{
    while (s->kind < OBSERVER_KINDS && !wanted(s, s->kind))
        s->kind++;
    if (s->kind >= OBSERVER_KINDS)
        return false;
    s->n = 0;
    memset(&s->cursor, 0, sizeof(s->cursor));
    buf_printf(out, ",\"%s\":[", observer_kind_name(s->kind)->list);
    return true;
}

void observer_snapshot_start(struct observer_snapshot *s, const struct observer_source *source,
                             int64_t wall_us, uint64_t seq, struct buf *out)
{
    s->source = source;
    s->kind = 0;
    s->left_out = 0;
    buf_printf(out, "{\"version\":%d,\"time\":%lld.%06d,\"seq\":%llu", OBSERVER_PROTOCOL,
               (long long)(wall_us / 1000000), (int)(wall_us % 1000000), (unsigned long long)seq);
    buf_printf(out, ",\"totals\":{\"rooms\":%zu,\"peers\":%zu}", source->rooms(source->arg),
               source->peers(source->arg));
    begin_list(s, out);
}

static void write_object(struct observer_snapshot *s, const json_t *object, struct buf *out)
{
    char *text = observer_json_text(object);
    if (text && s->n++)
        buf_puts(out, ",");
    if (text)
        buf_puts(out, text);
    else
        s->left_out++;
    free(text);
}

bool observer_snapshot_step(struct observer_snapshot *s, uint64_t seq, struct buf *out)
{
    if (s->kind < OBSERVER_KINDS) {
        const struct observer_source *from = s->source;
        const struct observer_scope scope = {s->filter.room, s->filter.peer, s->stats};
        json_t *object = from->next(from->arg, s->kind, &scope, &s->cursor);
        if (object)
            write_object(s, object, out);
        json_decref(object);
        if (object)
            return true;
        buf_puts(out, "]");
        s->kind++;
        if (begin_list(s, out))
            return true;
    }
    buf_printf(out, ",\"seqEnd\":%llu}", (unsigned long long)seq);
    observer_filter_clear(&s->filter);
    return false;
}
