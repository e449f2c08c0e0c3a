#include "lib/clock.h"
#include "lib/log.h"
#include "server/supervisor/supervisor_int.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>

static void on_again(uv_timer_t *t)
{
    keeper_start(t->data);
}

void keeper_init(struct keeper *k, struct supervisor *s, const char *name,
                 void (*start)(struct keeper *))
{
    k->name = name;
    k->start = start;
    k->s = s;
    uv_timer_init(&s->loop, &k->again);
    k->again.data = k;
}

static void start_later(struct keeper *k)
{
    if (k->s->stopping)
        return;
    int64_t wait_us = backoff_wait_us(&k->backoff, clock_now_us() - k->started_us);
    if (wait_us > 0)
        log_warn("supervisor", "starting again later program=%s seconds=%.2f", k->name,
                 (double)wait_us / 1e6);
    uv_timer_start(&k->again, on_again, (uint64_t)(wait_us / 1000), 0);
}

void keeper_start(struct keeper *k)
{
    if (k->s->stopping)
        return;
    k->started_us = clock_now_us();
    k->start(k);
    if (k->pid == 0)
        start_later(k);
    else
        log_info("supervisor", "started program=%s pid=%d", k->name, (int)k->pid);
}

static void log_end(const struct keeper *k, int status)
{
    if (WIFSIGNALED(status))
        log_error("supervisor", "ended by a signal program=%s pid=%d signal=%d (%s)", k->name,
                  (int)k->pid, WTERMSIG(status), strsignal(WTERMSIG(status)));
    else if (WEXITSTATUS(status) == 127)
        log_error("supervisor", "could not be executed program=%s", k->name);
    else
        log_error("supervisor", "ended program=%s pid=%d status=%d", k->name, (int)k->pid,
                  WEXITSTATUS(status));
}

void keeper_ended(struct keeper *k, int status)
{
    if (!k->s->stopping)
        log_end(k, status);
    k->pid = 0;
    start_later(k);
}

void keeper_kill(const struct keeper *k, int sig)
{
    if (k->pid > 0)
        kill(k->pid, sig);
}
