#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "server/edge/edge_int.h"

struct packet *packet_alloc(size_t len)
{
    struct packet *p = mem_zalloc(sizeof(*p) + LWS_PRE + len + 1);
    p->refs = 1;
    p->len = len;
    p->text = (char *)(p + 1) + LWS_PRE;
    return p;
}

struct packet *packet_new(const char *text, size_t len)
{
    struct packet *p = packet_alloc(len);
    memcpy(p->text, text, len);
    return p;
}

void packet_drop(struct packet *p)
{
    if (p && --p->refs == 0)
        free(p);
}

void queue_init(struct queue *q)
{
    *q = (struct queue){.tail = &q->head};
}

void queue_push(struct queue *q, struct packet *p)
{
    struct queue_node *node = mem_zalloc(sizeof(*node));
    node->packet = p;
    p->refs++;
    *q->tail = node;
    q->tail = &node->next;
    q->bytes += p->len;
    q->count++;
}

struct packet *queue_pop(struct queue *q)
{
    struct queue_node *node = q->head;
    if (!node)
        return NULL;
    struct packet *p = node->packet;
    q->head = node->next;
    if (!q->head)
        q->tail = &q->head;
    q->bytes -= p->len;
    q->count--;
    free(node);
    return p;
}

void queue_clear(struct queue *q)
{
    for (struct packet *p; (p = queue_pop(q)) != NULL;)
        packet_drop(p);
}
