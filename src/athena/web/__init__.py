"""Static files that the server hands to browsers. No build step; nothing from other hosts.

`page/` is the page at `/`: plain modules and hand-written CSS. `docs/` is Swagger UI 5.35.0
(Apache-2.0, licence beside it), which shows the API page.
"""

from pathlib import Path

PAGE_FILES = Path(__file__).parent / "page"
DOCS_FILES = Path(__file__).parent / "docs"
