/* limits.h - every bound on what browsers can make a room hold, and what happens at each.
 *
 * "refused": the request is answered with an error that says why, and is a strike. A peer with STRIKES_MAX strikes is told and
 * disconnected; one is forgiven every STRIKE_FORGIVE_S. Nobody else notices. Lengths are bytes of UTF-8 without the NUL.
 */
#ifndef ALTHING_SERVER_ROOM_LIMITS_H
#define ALTHING_SERVER_ROOM_LIMITS_H

#define ROOM_ID_MAX       128         /* roomId: the connection is refused */
#define PEER_ID_MAX       64          /* peerId, reconnectKey: the connection is refused */
#define NAME_MAX_BYTES    256         /* displayName: refused */
#define PICTURE_MAX_BYTES (1024 * 1024)     /* picture of a peer: refused (in join: left out) */
#define PICTURES_MAX_BYTES (8 * 1024 * 1024) /* pictures of a room together, as join hands them all out: likewise */
/* Pictures and canvases that all rooms together hand out to who joins: so many bytes a second, and at once. Beyond, join leaves
 * them out: to write them costs the loop about 10 ns a byte, and who comes again and again does not read them. */
#define PICTURES_PER_S    (16 * 1024 * 1024)
#define PICTURES_BURST    (64 * 1024 * 1024)
/* Pictures and parts of a canvas that are told to all of a room when they change, and what is passed on for direct connections
 * (beyond: refused, but no strike), or pictures that come with somebody (beyond: left out): so many bytes a second, and at once.
 * More would fill the queues of who reads slowly, and cost them their connection. */
#define ROOM_PICTURES_PER_S (256 * 1024)
#define ROOM_PICTURES_BURST (8 * 1024 * 1024)
#define CHAT_TEXT_MAX     8192        /* a chat message: refused */
#define CHAT_KEPT_MAX     200         /* messages of a room's history: the oldest goes */
#define CHAT_KEPT_BYTES   (512 * 1024) /* their texts and names together: the oldest go */
#define REACTION_MAX      64          /* reaction: refused */
#define MAGNET_MAX        4096        /* magnetURI: refused */
#define FILES_KEPT_MAX    100         /* of a room: the oldest goes */
#define FILES_KEPT_BYTES  (256 * 1024) /* their URIs and names together: the oldest go */
#define BREAKOUTS_MAX     50          /* breakout rooms of a room, each with a history of its own: refused */
#define DRAWING_OBJECTS_MAX 1000      /* objects of a room's canvas: refused, but no strike */
#define DRAWING_BYTES_MAX (1024 * 1024) /* their JSON together: likewise */
#define DRAWING_OBJECT_MAX 65536      /* one of them, also if it is only told: refused */
#define P2P_MAX           65536       /* what is passed on at once for direct connections: refused */
#define DRAWING_ID_MAX    64          /* an object's id, if it is a string: refused */

#define ROOMS_MAX         5000        /* the connection that would make one more is refused */
#define ROOM_PEERS_MAX    500         /* at most that, whatever maxUsersPerRoom says; lobby included: the connection is refused */
#define PEER_TRANSPORTS_MAX 2         /* one a direction; asking again gives the same one */
#define PEER_PRODUCERS_MAX 16         /* refused */
#define PEER_CONSUMERS_MAX 2000       /* further producers are not consumed; counted by consumers_refused */
#define PEER_DATA_PRODUCERS_MAX 16    /* refused */
#define DATA_STREAMS      1024        /* streams of a transport, so its data consumers: further data producers are not consumed */
#define DATA_LABEL_MAX    256         /* label, protocol of a data channel: refused */
#define DATA_APP_MAX      1024        /* bytes of its appData as JSON: refused */
#define ACKS_MAX          8           /* repeats of a request waiting for the same worker reply: refused */

#define STRIKES_MAX       32
#define STRIKE_FORGIVE_S  2
#define GRACE_S           5           /* how long a peer whose connection was lost is kept for its return */

#define KEPT_PERMS_MAX    32          /* of a room: changed permissions of peers that left; the oldest goes */
#define KEPT_PERMS_S      120         /* how long they are kept for a return with the same reconnectKey */

#endif
