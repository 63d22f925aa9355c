"""Health checks: whether the process responds, and whether it can take requests."""

from litestar import Response, get

from athena.http.mj.submits import TheServices
from athena.service.health import HealthReport


@get("/health/live", summary="The process responds", tags=["health"], sync_to_thread=False)
def live() -> dict[str, bool]:
    """200 as long as the process works."""
    return {"live": True}


@get("/health/ready", summary="The server can take requests", tags=["health"])
async def ready(services: TheServices) -> Response[HealthReport]:
    """503 while the disk cannot be written, a background loop fails, or no account works."""
    report = services.health.report()
    return Response(report, status_code=200 if report.ready else 503)


HANDLERS = (live, ready)
