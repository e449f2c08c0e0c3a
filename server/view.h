/* view.h - what the exporter sees of the server: rooms from the hub, numbers from the workers' segments, read-only.
 *
 * A stream is shown if a worker counts it and the hub knows its owner, and only by the worker that carries its room. The view is
 * one walk's scratch space: its owner is one exporter. What the observer sees: watch.h.
 */
#ifndef ALTHING_SERVER_VIEW_H
#define ALTHING_SERVER_VIEW_H

#include "exporter/exporter.h"
#include "server/hub.h"

struct view {
    const struct hub *hub;
    struct counters_view slot;
};

/* The view outlives the source. */
void view_exporter_source(struct view *v, const struct hub *h, struct exporter_source *out);

#endif
