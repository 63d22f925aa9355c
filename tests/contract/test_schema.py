"""The OpenAPI description, compared with the server's behaviour."""

from typing import Any

import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import (
    content_type_conformance,
    not_a_server_error,
    response_schema_conformance,
    status_code_conformance,
)
from schemathesis.core.failures import FailureGroup

import requests
from tests.contract.conftest import Server

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
ENDLESS = "/events$|/image-seed$"


def test_every_operation_does_as_described(server: Server) -> None:
    description = requests.get(f"{server.url}/openapi.json", timeout=30).json()
    schema = schemathesis.openapi.from_dict(description)
    schema.config.update(base_url=server.url)
    tried, faults = 0, []
    for result in schema.exclude(path_regex=ENDLESS).get_all_operations():
        operation: Any = result.ok()  # type: ignore[union-attr]

        @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy())
        def does_as_described(case: Any) -> None:
            case.call_and_validate(checks=CHECKS)

        try:
            does_as_described()
        except FailureGroup as found:
            faults += [f"{operation.label}: {each}" for each in found.exceptions]
        tried += 1
    assert not faults, "\n\n".join(faults)
    assert tried >= 30


def test_the_description_names_errors_secrets_prefixes_and_examples(server: Server) -> None:
    schema = requests.get(f"{server.url}/openapi.json", timeout=30).json()
    assert schema["openapi"].startswith("3.1")
    assert {each["url"] for each in schema["servers"]} >= {"/", "/mj-fast", "/mj-turbo-proxy"}
    assert {*schema["components"]["securitySchemes"]} == {"secret", "bearer"}
    imagine = schema["paths"]["/mj/submit/imagine"]["post"]
    assert {"200", "400", "401", "429"} <= imagine["responses"].keys()
    schemas = schema["components"]["schemas"]
    assert schemas["ImagineBody"]["properties"]["prompt"]["examples"]
    assert schemas["Answer"]["properties"]["code"]["examples"] == [1]
    page = requests.get(f"{server.url}/docs", timeout=30)
    assert page.status_code == 200
    assert "https://" not in page.text.replace("https://example.com", "")
