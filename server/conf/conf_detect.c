/* conf_detect.c - what the machine has: CPUs and addresses. */
#include "server/conf/conf_int.h"

#include "lib/addr.h"
#include "lib/mem.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>

static uint32_t cpus(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof(set), &set) < 0)
        return 1;
    int n = CPU_COUNT(&set);
    return n < 1 ? 1 : n > CONF_WORKERS_MAX ? CONF_WORKERS_MAX : (uint32_t)n;
}

/* A link-local address means nothing without its interface, which a browser cannot know. */
static bool is_link_local(const struct addr *a)
{
    if (addr_is_ipv4(a))
        return a->ip[12] == 169 && a->ip[13] == 254;
    return a->ip[0] == 0xfe && (a->ip[1] & 0xc0) == 0x80;
}

static bool wanted(const struct ifaddrs *i, bool loopback, bool ipv4, struct addr *a)
{
    return i->ifa_addr && (i->ifa_flags & IFF_UP) && addr_from_sockaddr(a, i->ifa_addr) == 0 &&
           !(i->ifa_flags & IFF_LOOPBACK) == !loopback && addr_is_ipv4(a) == ipv4 &&
           !is_link_local(a);
}

static void add_addresses(struct conf_listen_ips *list, const struct ifaddrs *all, bool loopback,
                          bool ipv4)
{
    for (const struct ifaddrs *i = all; i && list->n < CONF_LISTEN_MAX; i = i->ifa_next) {
        struct addr a;
        char text[ADDR_STR_MAX];
        if (wanted(i, loopback, ipv4, &a))
            list->items[list->n++].ip = mem_strdup(addr_format_ip(&a, text));
    }
}

void conf_detect(struct conf *c)
{
    if (c->num_workers == 0)
        c->num_workers = cpus();
    if (c->listen_ips.n > 0)
        return;
    struct ifaddrs *all;
    if (getifaddrs(&all) < 0)
        return;
    add_addresses(&c->listen_ips, all, false, true);
    add_addresses(&c->listen_ips, all, false, false);
    if (c->listen_ips.n == 0) {
        add_addresses(&c->listen_ips, all, true, true);
        add_addresses(&c->listen_ips, all, true, false);
    }
    freeifaddrs(all);
}
