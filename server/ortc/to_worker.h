/* to_worker.h - the results of the negotiation (ortc.h) as messages of proto/worker.proto.
 *
 * A message is one block with all its parts; its strings are borrowed from the JSON it was made from, which must stay until it
 * is sent. The caller sets the handles, `paused` and `preferred`. Codecs and extensions that the worker has no name for go as
 * CODEC_OTHER, or not at all.
 */
#ifndef ALTHING_SERVER_ORTC_TO_WORKER_H
#define ALTHING_SERVER_ORTC_TO_WORKER_H

#include "proto/worker.pb-c.h"
#include "server/ortc/ortc.h"

#define ORTC_WORKER_CODECS_MAX     32 /* media codecs of one producer */
#define ORTC_WORKER_EXTENSIONS_MAX 16

struct ortc_codecs {
    Althing__Codec codec[ORTC_WORKER_CODECS_MAX];
    size_t n;
};

struct ortc_extensions {
    Althing__Extension extension[ORTC_WORKER_EXTENSIONS_MAX];
    Althing__Extension *list[ORTC_WORKER_EXTENSIONS_MAX];
    size_t n;
};

struct ortc_create_producer {
    Althing__CreateProducer msg;
    struct ortc_codecs codecs;
    Althing__Codec *codec_list[ORTC_WORKER_CODECS_MAX];
    struct ortc_extensions extensions;
    Althing__Encoding encoding[ORTC_ENCODINGS_MAX];
    Althing__Encoding *encoding_list[ORTC_ENCODINGS_MAX];
};

struct ortc_create_consumer {
    Althing__CreateConsumer msg;
    struct ortc_codecs codecs;
    Althing__CodecMapping mapping[ORTC_WORKER_CODECS_MAX];
    Althing__CodecMapping *mapping_list[ORTC_WORKER_CODECS_MAX];
    struct ortc_extensions extensions;
};

/* `params`: a producer's own, checked, completed and mapped. NULL: codecs of the other kind, too many codecs, or encodings that
 * nothing tells apart. */
struct ortc_create_producer *ortc_create_producer(const char *kind, const json_t *params,
                                                  struct ortc_error *error);
void ortc_create_producer_free(struct ortc_create_producer *p); /* NULL is fine */

/* `params` from ortc_consumer_parameters() (its mid is set if there is one), `mapping` from its producer's
 * ortc_producer_mapping(). */
struct ortc_create_consumer *ortc_create_consumer(const json_t *params, const json_t *mapping,
                                                  struct ortc_error *error);
void ortc_create_consumer_free(struct ortc_create_consumer *c); /* NULL is fine */

#endif
