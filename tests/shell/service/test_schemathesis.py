"""Whatever is asked within the document of the API, or near it: no answer is a failure, and each is as the document says."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from tests.shell.service.floods import flood, told_live
from tests.shell.service.test_api import Served, served


@schemathesis.serializer("application/x-ndjson", "application/vnd.apache.arrow.stream")
def as_it_is(_: Any, value: Any) -> bytes:
    """Bodies that are no JSON."""
    return value if isinstance(value, bytes) else str(value).encode()


ENDLESS = "/v1/stream"
CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("town")) as town:
        for row in told_live(list(flood())):
            answer = town.post([row])
        town.settle(answer)
        yield town


@pytest.fixture(scope="module")
def operations(town: Served) -> dict[str, Any]:
    """By path and method, whatever the document tells of but what has no end."""
    document = town.client.get("/v1/openapi.json").json()
    schema = schemathesis.openapi.from_dict(document)
    found = {}
    for result in schema.get_all_operations():
        assert isinstance(result, Ok)
        operation = result.ok()
        if operation.path != ENDLESS:
            found[f"{operation.method.upper()} {operation.path}"] = operation
    return found


def test_all_that_the_document_tells_of(town: Served, operations: dict[str, Any]) -> None:
    assert len(operations) > 12
    for operation in operations.values():
        for mode in (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE):
            with suppress(Unsatisfiable):  # what takes nothing cannot be asked wrongly
                ask(town, operation.as_strategy(generation_mode=mode))


def ask(town: Served, cases: st.SearchStrategy[Any]) -> None:
    base = str(town.client.base_url)

    @settings(
        max_examples=12,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases)
    def asked(case: Any) -> None:
        response = case.call(base_url=base, headers=town.all, timeout=30)
        case.validate_response(response, checks=CHECKS)

    asked()
