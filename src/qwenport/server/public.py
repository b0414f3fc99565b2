"""The addresses that anyone may ask without a key. Every other route asks for one; a test walks the table."""

from __future__ import annotations

UPLOAD_HOST = "/oss"
"""Where clients post local files to, with a policy that was signed for a holder of a key."""

OPENAPI = "/openapi.json"
"""The description of the API; it holds no data."""

PAGE = "/docs"
"""The page that shows it."""

PAGE_PARTS = frozenset({f"{PAGE}/docs.js", f"{PAGE}/swagger-ui.css", f"{PAGE}/swagger-ui-bundle.js"})
"""What the page is made of."""

PUBLIC = frozenset({"/healthz", "/readyz", UPLOAD_HOST, OPENAPI, PAGE, *PAGE_PARTS})
