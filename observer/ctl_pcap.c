#include "observer/ctl_pcap.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#define LINK_RAW_IP 101
#define SNAP_LEN    65535
#define UDP_HEAD    8
#define IP4_HEAD    20
#define IP6_HEAD    40

/* The file's own numbers are in this machine's order, as the magic number says. */
static void put(FILE *f, const void *data, size_t len)
{
    (void)!fwrite(data, 1, len, f); /* the caller looks at ferror() */
}

void ctl_pcap_start(struct ctl_pcap *p)
{
    const struct {
        uint32_t magic;
        uint16_t major, minor;
        uint32_t zone, accuracy, snap_len, link;
    } head = {0xa1b2c3d4, 2, 4, 0, 0, SNAP_LEN, LINK_RAW_IP};
    put(p->file, &head, sizeof(head));
}

static void u16(uint8_t *to, size_t v)
{
    to[0] = (uint8_t)(v >> 8);
    to[1] = (uint8_t)v;
}

static uint16_t checksum(const uint8_t *head, size_t len)
{
    uint32_t sum = 0;
    for (size_t i = 0; i + 1 < len; i += 2)
        sum += (uint32_t)head[i] << 8 | head[i + 1];
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

/* RFC 791, RFC 8200; its length. An IPv4 address beside an IPv6 one is shown as a mapped one. */
static size_t ip_head(uint8_t *h, const struct addr *from, const struct addr *to, size_t udp_len)
{
    if (!addr_is_ipv4(from) || !addr_is_ipv4(to)) {
        h[0] = 0x60;
        u16(h + 4, udp_len);
        h[6] = IPPROTO_UDP;
        h[7] = 64;
        memcpy(h + 8, from->ip, 16);
        memcpy(h + 24, to->ip, 16);
        return IP6_HEAD;
    }
    h[0] = 0x45;
    u16(h + 2, IP4_HEAD + udp_len);
    h[6] = 0x40; /* don't fragment */
    h[8] = 64;
    h[9] = IPPROTO_UDP;
    memcpy(h + 12, from->ip + 12, 4);
    memcpy(h + 16, to->ip + 12, 4);
    u16(h + 10, checksum(h, IP4_HEAD));
    return IP4_HEAD;
}

void ctl_pcap_packet(struct ctl_pcap *p, int64_t wall_us, bool out, const uint8_t *data, size_t len,
                     size_t size)
{
    uint8_t head[IP6_HEAD + UDP_HEAD] = {0};
    const struct addr *from = out ? &p->local : &p->remote, *to = out ? &p->remote : &p->local;
    if (size > SNAP_LEN - sizeof(head))
        size = SNAP_LEN - sizeof(head);
    if (len > size)
        len = size;
    size_t at = ip_head(head, from, to, UDP_HEAD + size);
    u16(head + at, from->port);
    u16(head + at + 2, to->port);
    u16(head + at + 4, UDP_HEAD + size);
    at += UDP_HEAD;
    const struct {
        uint32_t s, us, there, was;
    } record = {(uint32_t)(wall_us / 1000000), (uint32_t)(wall_us % 1000000), (uint32_t)(at + len),
                (uint32_t)(at + size)};
    put(p->file, &record, sizeof(record));
    put(p->file, head, at);
    put(p->file, data, len);
    p->packets++;
}

bool ctl_pcap_addr(const char *text, struct addr *a)
{
    char host[64];
    const char *colon = strrchr(text, ':');
    const char *start = *text == '[' ? text + 1 : text;
    if (!colon || colon < start)
        return false;
    size_t len = (size_t)(colon - start);
    if (*text == '[') {
        if (len == 0 || colon[-1] != ']')
            return false;
        len--;
    }
    char *end;
    long port = strtol(colon + 1, &end, 10);
    if (len >= sizeof(host) || colon[1] < '0' || colon[1] > '9' || *end || port > 65535)
        return false;
    memcpy(host, start, len);
    host[len] = 0;
    return addr_parse(a, host, (uint16_t)port) == 0;
}
