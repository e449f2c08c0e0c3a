/* notify.h - tells the service manager how we are (sd_notify(3)): one datagram a message. Without a manager nothing happens. */
#ifndef ALTHING_SERVER_SUPERVISOR_NOTIFY_H
#define ALTHING_SERVER_SUPERVISOR_NOTIFY_H

#include <stdint.h>

/* Takes NOTIFY_SOCKET and WATCHDOG_USEC out of the environment, so that no child speaks for us. */
void notify_init(void);
void notify_send(const char *state);     /* "READY=1", "STOPPING=1", "WATCHDOG=1", "STATUS=..." */
uint64_t notify_watchdog_ms(void);       /* how often to say WATCHDOG=1; 0: nobody waits for it */

#endif
