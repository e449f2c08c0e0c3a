/* The input is JSON, [kind, capabilities, parameters]: goes all the way from the browser's words to the worker's messages. */
#include "server/ortc/ortc.h"
#include "server/ortc/to_worker.h"

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void consume(const json_t *consumable, const json_t *caps, const json_t *mapping, bool pipe)
{
    struct ortc_error error;
    const struct ortc_consumer_options options = {
        .ssrc = 1, .rtx_ssrc = 100, .enable_rtx = !pipe, .pipe = pipe};
    ortc_can_consume(consumable, caps);
    json_t *params = ortc_consumer_parameters(consumable, caps, &options, &error);
    ortc_create_consumer_free(ortc_create_consumer(params, mapping, &error));
    json_decref(params);
    params = ortc_pipe_parameters(consumable, &options);
    ortc_create_consumer_free(ortc_create_consumer(params, mapping, &error));
    json_decref(params);
}

static void produce(const char *kind, json_t *params, const json_t *caps, const json_t *router)
{
    struct ortc_error error;
    json_t *mapping = ortc_producer_mapping(params, router, UINT32_MAX, &error);
    ortc_create_producer_free(ortc_create_producer(kind, params, &error));
    json_t *consumable = ortc_consumable(kind, params, router, mapping, &error);
    consume(consumable, caps, mapping, false);
    consume(consumable, caps, mapping, true);
    json_decref(consumable);
    json_decref(mapping);
}

/* Twice: as it came, which must be refused in peace, and after the checks. */
static void run(const json_t *in, const json_t *router)
{
    const char *kind = json_string_value(json_array_get(in, 0));
    json_t *caps = json_array_get(in, 1), *params = json_array_get(in, 2);
    json_t *unchecked = json_deep_copy(params);
    struct ortc_error error;
    produce(kind ? kind : "video", unchecked, caps, router);
    json_decref(unchecked);
    json_decref(ortc_router_capabilities(json_object_get(caps, "codecs"), &error));
    bool caps_fine = ortc_check_capabilities(caps, &error) == 0;
    if (ortc_check_parameters(params, &error) < 0)
        return;
    ortc_complete_parameters(params, "cname");
    produce(kind ? kind : "audio", params, caps_fine ? caps : NULL, router);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static json_t *router;
    if (!router) {
        json_t *codecs = ortc_default_codecs();
        router = ortc_router_capabilities(codecs, NULL);
        json_decref(codecs);
    }
    json_t *in = json_loadb((const char *)data, size, JSON_DECODE_ANY, NULL);
    run(in, router);
    json_decref(in);
    return 0;
}
