/* kinds.h - the names of what is shown (proto/observer.md). */
#ifndef ALTHING_OBSERVER_KINDS_H
#define ALTHING_OBSERVER_KINDS_H

#include "observer/observer.h"

struct observer_kind_name {
    const char *name; /* "transport" */
    const char *list; /* "transports"; NULL: of log, which is in no snapshot */
};

const struct observer_kind_name *observer_kind_name(enum observer_kind kind);
enum observer_kind observer_kind_from_name(const char *name); /* OBSERVER_KINDS: none has it */

#endif
