/* ctl_pcap.h - a capture file (the classic pcap format, raw IP, microseconds) of packets whose payload was cut off.
 *
 * The packets are RTP and RTCP in the clear; IP and UDP headers are made up for them from the transport's addresses, so that tools
 * show who sends what. Lengths are those of the whole packets.
 */
#ifndef ALTHING_OBSERVER_CTL_PCAP_H
#define ALTHING_OBSERVER_CTL_PCAP_H

#include "lib/addr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct ctl_pcap {
    FILE *file;
    struct addr local, remote;
    uint64_t packets;
};

void ctl_pcap_start(struct ctl_pcap *p);
/* len: bytes there are; size: bytes the packet had. */
void ctl_pcap_packet(struct ctl_pcap *p, int64_t wall_us, bool out, const uint8_t *data, size_t len,
                     size_t size);

/* "1.2.3.4:5" or "[2001:db8::1]:5"; false: neither. */
bool ctl_pcap_addr(const char *text, struct addr *a);

#endif
