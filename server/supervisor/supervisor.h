/* supervisor.h - starts the server and the workers, and starts again what ends. Parses nothing that comes from a network.
 *
 * Owns every listening socket, the server's end of every worker's channel and every counter segment; the processes get copies. So
 * whatever ends is started again with the same ports, and a new server gets all workers that live. The server is trusted as far
 * as struct handoff goes: a frame that is not one ends it.
 *
 *   supervisor ── place 0..n-1   a worker's place: sockets for good; process, channel and counters of now
 *              └─ server_proc    the server: its process and control socket of now
 *
 * One libuv loop. A process that ended is started again when its backoff says so. The order of the end: the server is told to stop,
 * then the workers are, each within its deadline, then what is left is killed.
 */
#ifndef ALTHING_SERVER_SUPERVISOR_SUPERVISOR_H
#define ALTHING_SERVER_SUPERVISOR_SUPERVISOR_H

#include "server/conf/conf.h"

#define SUPERVISOR_ERROR_MAX 768

struct supervisor;

/* Opens all sockets and gives up root; starts nothing. `conf` and `conf_path` (NULL: the default's) outlive the supervisor. 0 or
 * -errno, and then err says why in one line. */
int supervisor_new(struct supervisor **sp, struct conf *conf, const char *conf_path, char err[static SUPERVISOR_ERROR_MAX]);
/* Runs until SIGTERM or SIGINT, or until the server refuses its configuration. Returns the exit status. */
int supervisor_run(struct supervisor *s);
void supervisor_free(struct supervisor *s); /* NULL is fine */

#endif
