/* dump.h - one object with all that is known of it, by mediasoup's field names: what its dump() and getStats() give. Read-only. */
#ifndef ALTHING_SERVER_DUMP_H
#define ALTHING_SERVER_DUMP_H

#include "observer/observer.h"
#include "server/stats.h"

/* {"dump", "stats"}; a new reference. `room` NULL: of any. NULL: there is no such object. */
json_t *dump_object(struct stats *s, enum observer_kind kind, const char *room, const char *key);

#endif
