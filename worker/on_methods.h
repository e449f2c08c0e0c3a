/* on_methods.h - one function a request, by the object that it is about: on_router.c, on_transport.c, on_producer.c, on_consumer.c,
 * on_data.c, on_trace.c, on_log.c.
 *
 * Each checks every field, calls the engine and returns 0 or -EINVAL (malformed), -ENOENT (no such object), -EEXIST (taken),
 * -ENOSPC (a table is full), -ENOTSUP. Nothing has changed when it is not 0.
 */
#ifndef ALTHING_WORKER_ON_METHODS_H
#define ALTHING_WORKER_ON_METHODS_H

#include "proto/worker.pb-c.h"
#include "worker/route/engine.h"
#include "worker/route/params.h"

typedef int on_method_f(struct engine *e, const Althing__Request *r, int64_t now_us);

on_method_f on_create_router;
on_method_f on_close_router;
on_method_f on_observe_audio;

on_method_f on_create_transport;
on_method_f on_connect_transport;
on_method_f on_restart_ice;
on_method_f on_close_transport;
on_method_f on_set_max_incoming_bitrate;
on_method_f on_set_outgoing_bitrates;

on_method_f on_create_plain_transport;
on_method_f on_connect_plain_transport;
on_method_f on_create_pipe_transport;
on_method_f on_connect_pipe_transport;

on_method_f on_create_producer;
on_method_f on_pause_producer;
on_method_f on_close_producer;

on_method_f on_create_consumer;
on_method_f on_pause_consumer;
on_method_f on_set_preferred_layers;
on_method_f on_set_priority;
on_method_f on_request_key_frame;
on_method_f on_close_consumer;

on_method_f on_create_data_producer;
on_method_f on_pause_data_producer;
on_method_f on_close_data_producer;
on_method_f on_create_data_consumer;
on_method_f on_pause_data_consumer;
on_method_f on_close_data_consumer;

on_method_f on_start_trace;
on_method_f on_stop_trace;
on_method_f on_set_log;

/* What producers and consumers have in common (on_media.c). 0 or -EINVAL. */
int on_media_codec(struct params_codec *out, const Althing__Codec *in);
int on_media_extensions(struct rtp_ext_map *ext, Althing__Extension *const *in, size_t n);
int on_media_string(char *out, size_t cap,
                    const char *in); /* -EINVAL: too long, or not printable */

#endif
