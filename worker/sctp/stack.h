/* stack.h - the one SCTP stack of the process: usrsctp, without its threads and sockets, and its clock.
 *
 * The library keeps all associations in one place and has one clock for them, which is turned from here: between two calls of
 * stack_timer() its time stands still. Its settings are for data channels and nothing else: no address of the network, no ASCONF,
 * AUTH, ECN, NR-SACK or packet drop reports, no answer to packets of no association. It keeps one thread of its own for work that
 * only address changes would bring; it sleeps for good.
 *
 * Not thread-safe.
 */
#ifndef ALTHING_WORKER_SCTP_STACK_H
#define ALTHING_WORKER_SCTP_STACK_H

#include <stdint.h>

void stack_open(void); /* before the first association, and before a sandbox; counted */
void stack_close(
    void); /* as often as it was opened, after the last association; frees all the library has */

/* Turns the clock to now_us, by at most a second; timers of all associations fire. */
void stack_timer(int64_t now_us);
int64_t stack_next_us(void); /* TIME_NEVER_US: there is no association */

#endif
