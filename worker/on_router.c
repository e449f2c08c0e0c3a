#include "worker/on_methods.h"
#include "worker/route/router.h"

#include <errno.h>

int on_create_router(struct engine *e, const Althing__Request *r, int64_t now_us)
{
    (void)now_us;
    const Althing__CreateRouter *m = r->create_router;
    return m->router ? router_create(e, m->router, m->room) : -EINVAL;
}

int on_close_router(struct engine *e, const Althing__Request *r, int64_t now_us)
{
    router_close(e, r->close_router->router, now_us);
    return 0;
}
