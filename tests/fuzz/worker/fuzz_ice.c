/* A datagram that looks like STUN, to the agent and to the search for its user name. No input is authentic by chance: nothing may
 * change and nothing may be answered. The password is known here, so a fuzzer may well build an authentic request. */
#include "worker/ice/ice.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct ice_handlers none;
    struct tuple from = {.proto = NET_UDP};
    uint8_t reply[ICE_REPLY_MAX];
    char ufrag[ICE_UFRAG_MAX + 1];
    struct ice *ice;
    addr_parse(&from.remote, "192.0.2.1", 5000);
    ice_peek_ufrag(data, size, ufrag, sizeof(ufrag));
    if (ice_new(&ice, "evtj", "VOkJxbRl1RmTxUk/WvJxBt", ICE_CONSENT_US, &none, NULL))
        abort();
    size_t n = ice_input(ice, &from, data, size, 1, reply);
    if (n > ICE_REPLY_MAX)
        abort();
    if (n == 0 && ice_state(ice) != ICE_NEW)
        abort();
    ice_free(ice);
    return 0;
}
