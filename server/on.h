/* on.h - the handlers of the browsers' messages and the workers' events, one file a group. See dispatch.h for when each is called.
 */
#ifndef ALTHING_SERVER_ON_H
#define ALTHING_SERVER_ON_H

#include "server/dispatch.h"
#include "server/ortc/ortc.h"
#include "server/ortc/to_worker.h"

/* ---- on_connect.c: coming, coming back, going ---- */
void on_connect_session(struct hub *h, struct edge_session *s, const struct edge_query *query);
void on_closed_session(struct hub *h, struct edge_session *s, enum edge_reason reason);
void on_connect_tick(struct hub *h, int64_t now_us); /* who did not come back goes */
void on_connect_admit(struct hub *h, struct peer *p); /* into the room, from outside or the lobby */
/* Others are told, what it had is closed, an empty room too (*p and perhaps its room are gone). */
void on_connect_remove(struct hub *h, struct peer *p);
void on_connect_send_away(struct hub *h, struct peer *p, const char *why); /* the same, and its connection ends with 41 */
/* Gives the room a router if it has none, and asks the peer for its capabilities. */
void on_connect_media(struct hub *h, struct peer *p);

/* ---- on_join.c ---- */
call_f on_join;
json_t *on_join_peer_info(const struct peer *p);
json_t *on_join_room_state(struct hub *h, const struct peer *p); /* what join and peerReconnected have in common */

/* ---- on_transport.c ---- */
call_f on_create_transport, on_connect_transport, on_restart_ice;
/* with all it has; the browser is not told of it itself */
void on_transport_drop(struct hub *h, struct transport *t, const char *why);
void on_peer_drop_media(struct hub *h, struct peer *p, const char *why);     /* both transports */

/* ---- on_produce.c ---- */
call_f on_produce, on_pause_producer, on_resume_producer, on_close_producer;
void on_producer_drop(struct hub *h, struct producer *p, const char *why); /* its consumers' browsers are told, the sender is not */
/* Closes a peer's producers that come from one of these sources (a NULL ends the list) and tells the peer. */
void on_produce_stop(struct hub *h, struct peer *p, const char *const *sources);
enum perm on_produce_perm(const char *source); /* PERM_NONE: no such source */

/* ---- on_consume.c ---- */
call_f on_pause_consumer, on_resume_consumer, on_preferred_layers, on_request_key_frame, on_consumer_priority;
void on_consume_peer(struct hub *h, struct peer *p);         /* gives it what it can have by now */
void on_consume_resumed(struct hub *h, struct peer *p); /* and says again what it has: it may have missed some */
void on_consume_producer(struct hub *h, struct producer *p); /* gives it to all who can have it */
bool on_consume_describe(struct consumer *c); /* what its browser is told of it, from its numbers. False: it cannot be */
void on_consumer_gone(struct consumer *c); /* the worker closes it with its producer; the browser is told */
void on_consumer_drop(struct hub *h, struct consumer *c); /* alone: the worker and the browser are told */
void on_consume_wanted(struct hub *h, struct producer *p, bool hold); /* a consumer changed: newProducerLayer */
void on_consume_tick(struct hub *h, int64_t now_us);


/* ---- on_data.c ---- */
call_f on_produce_data, on_close_data_producer;
void on_data_consume_peer(struct hub *h, struct peer *p); /* gives it the data channels it can have by now */
void on_data_resumed(struct hub *h, struct peer *p);      /* it is back: what it has is told again, what it missed made */
json_t *on_data_producers(const struct peer *p);          /* ids */
json_t *on_data_consumers(const struct peer *p);
void on_data_offer_peer(struct hub *h, struct peer *p);   /* gives its data channels to all who can have them */
void on_data_left_session(struct peer *p);                /* it is in another one now */
void on_data_drop_all(struct transport *t, const char *why); /* the browsers of consumers are told, the worker too */
void on_data_lost(struct transport *t);                   /* its worker is gone: who waits is told */
void on_data_state(struct hub *h, struct transport *t, const Althing__SctpStateChanged *e);
void on_data_full(struct hub *h, const struct media_worker *from, uint64_t handle);

/* ---- on_chat.c: what peers say of themselves and to each other ---- */
call_f on_chat_message, on_change_display_name, on_change_picture, on_raised_hand, on_reaction, on_recording;
call_f on_send_file, on_clear_file;
json_t *on_chat_history(const struct room_session *s);
json_t *on_file_history(const struct room_session *s);

/* ---- on_room.c: the lock, the lobby, moderation ---- */
call_f on_lock_room, on_unlock_room, on_promote_peer, on_promote_all, on_escape_meeting;
call_f on_moderate_mute, on_moderate_stop_video, on_moderate_stop_screen, on_moderate_lower_hand, on_moderate_kick;
call_f on_moderate_mute_all, on_moderate_stop_all_video, on_moderate_stop_all_screen, on_moderate_close;
call_f on_moderate_clear_chat, on_moderate_clear_files, on_moderate_get_permissions, on_moderate_set_permissions;

/* ---- on_breakout.c ---- */
call_f on_create_breakout, on_eject_breakout, on_remove_breakout, on_join_breakout, on_leave_breakout, on_move_to_breakout;
json_t *on_breakout_list(const struct room *r);
json_t *on_breakout_history(const struct room_session *s); /* its id, chat and files */

/* ---- on_countdown.c ---- */
call_f on_countdown_enable, on_countdown_disable, on_countdown_start, on_countdown_stop, on_countdown_set;
json_t *on_countdown_state(const struct room *r);
void on_countdown_tick(struct hub *h, int64_t now_us); /* a few times a second */

/* ---- on_drawing.c ---- */
call_f on_drawing_enable, on_drawing_disable, on_drawing_clear, on_drawing_color, on_drawing_update;
json_t *on_drawing_state(const struct room *r, bool objects); /* with the objects, or as if there were none */

/* ---- on_p2p.c ---- */
call_f on_p2p; /* all of its messages */

void on_room_kick(struct hub *h, struct peer *p, const char *why); /* out, and not back with more rights */
void on_room_end(struct hub *h, struct room *r, const char *method); /* all are told this, and sent away; the room is gone */

/* ---- on_drain.c ---- */
void on_drain(struct hub *h, bool on, uint32_t seconds, const char *text); /* people are told; text NULL: one of our own */
void on_drain_tick(struct hub *h, int64_t now_us);

/* ---- on_media.c: the workers ---- */
void on_worker_up(void *hub);
void on_router_lost(struct media_router *r, void *room, void *hub);
/* It has joined, or a transport of it is connected: counts how long that took, once both are so. */
void on_media_joined(struct hub *h, struct peer *p);
void on_worker_event(const struct media_worker *from, const Althing__Event *e, void *hub);
unsigned on_load_asked(const struct media_router *router, void *room, void *hub);
void on_media_observe(const struct producer *p); /* audio: who speaks on its router is told to the room */
json_t *on_media_configuration(const struct hub *h);
/* ---- on_takeover.c: those of a server that died ---- */
void on_router_back(struct media_router *r, void *room, void *hub);
void on_router_missed(uint64_t handle, void *room, void *hub);
void on_taken_over(const struct media_worker *w, const struct takeover_objects *objects, void *hub);

void on_json_free(void *json); /* a json_t, as room/ holds it */

#endif
