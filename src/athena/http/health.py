"""Whether the server lives, and whether it can take requests: for whoever watches over it."""

from litestar import Response, get
from msgspec import Struct

from athena.accounts.account import AccountState
from athena.http.mj.submits import TheServices


class Health(Struct, kw_only=True):
    """`store` is empty when the disk takes what is written; accounts are counted by state."""

    ready: bool
    store: str
    accounts: dict[str, int]


@get("/health/live", summary="It answers", tags=["health"], sync_to_thread=False)
def live() -> dict[str, bool]:
    """200 as long as the process works."""
    return {"live": True}


@get("/health/ready", summary="It can take requests", tags=["health"])
async def ready(services: TheServices) -> Response[Health]:
    """503 while the disk takes nothing, or every account is stopped."""
    states = [account.state for account in services.tasks.pool.accounts()]
    trouble = services.tasks.store.trouble
    health = Health(
        ready=not trouble and any(state is not AccountState.STOPPED for state in states),
        store=trouble,
        accounts={state.value: states.count(state) for state in AccountState},
    )
    return Response(health, status_code=200 if health.ready else 503)


HANDLERS = (live, ready)
