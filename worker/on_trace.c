#include "worker/on_methods.h"
#include "worker/route/engine.h"
#include "worker/stream/tracer.h"

#include <errno.h>

#define TRACE_MS_MAX (3600 * 1000)

int on_start_trace(struct engine *e, const Althing__Request *r, int64_t now_us)
{
    const Althing__StartTrace *m = r->start_trace;
    if (!m->duration_ms || m->duration_ms > TRACE_MS_MAX)
        return -EINVAL;
    struct tracer_job job = {.id = m->trace,
                             .object = m->object,
                             .kinds = m->kinds,
                             .end_us = now_us + (int64_t)m->duration_ms * 1000};
    return engine_trace_start(e, m->ring, &job);
}

int on_stop_trace(struct engine *e, const Althing__Request *r, int64_t now_us)
{
    (void)now_us;
    engine_trace_stop(e, r->stop_trace->trace);
    return 0;
}
