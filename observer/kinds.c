#include "observer/kinds.h"

#include <string.h>

static const struct observer_kind_name names[OBSERVER_KINDS] = {
    [OBSERVER_SERVER] = {"server", "server"},
    [OBSERVER_WORKER] = {"worker", "workers"},
    [OBSERVER_ROUTER] = {"router", "routers"},
    [OBSERVER_ROOM] = {"room", "rooms"},
    [OBSERVER_CHAT] = {"chat", "chats"},
    [OBSERVER_PEER] = {"peer", "peers"},
    [OBSERVER_LOBBY] = {"lobby", "lobby"},
    [OBSERVER_TRANSPORT] = {"transport", "transports"},
    [OBSERVER_PRODUCER] = {"producer", "producers"},
    [OBSERVER_CONSUMER] = {"consumer", "consumers"},
    [OBSERVER_DATA_PRODUCER] = {"dataProducer", "dataProducers"},
    [OBSERVER_DATA_CONSUMER] = {"dataConsumer", "dataConsumers"},
    [OBSERVER_SCORE] = {"score", "scores"},
    [OBSERVER_LAYERS] = {"layers", "layers"},
    [OBSERVER_LOG] = {"log", NULL},
};

const struct observer_kind_name *observer_kind_name(enum observer_kind kind)
{
    return &names[kind];
}

enum observer_kind observer_kind_from_name(const char *name)
{
    unsigned k = 0;
    while (k < OBSERVER_KINDS && (!name || strcmp(names[k].name, name) != 0))
        k++;
    return (enum observer_kind)k;
}
