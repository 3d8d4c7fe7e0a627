"""What Schemathesis makes of the served document: no server error, no answer that is not described, no slip taken."""

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, GenerationMode, checks
from schemathesis.checks import CHECKS

EXAMPLES = 6
REAL = {"projects": "blog", "hosts": "alpha", "runs": 1, "people": "ada", "tokens": 2}
SETTINGS = settings(
    max_examples=EXAMPLES,
    database=None,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def document(app, api):
    """The document as served, and the headers of a token that may everything; run 1 is there."""
    client = api("admin")
    api("viewer", "ada")
    client.post("/projects/blog/apply")
    return schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app), client.headers


@pytest.mark.parametrize("mode", list(GenerationMode))
def test_served_document_holds(document, mode: GenerationMode) -> None:
    schema, headers = document
    checks.load_all_checks()
    # which names are free, or hosts have room, no schema can say
    without = CHECKS.get_by_names(["positive_data_acceptance"])
    succeeded = set()
    for result in schema.get_all_operations():
        operation = result.ok()

        @SETTINGS
        @given(case=operation.as_strategy(generation_mode=mode))
        def ask(case: Case) -> None:
            if mode.is_positive:
                for name in case.path_parameters:
                    case.path_parameters[name] = REAL[case.operation.path.split("/")[3]]
            answer = case.call_and_validate(headers=headers, excluded_checks=without)
            if answer.status_code < 300:
                succeeded.add(case.operation.label)

        ask()
    if mode.is_positive:
        assert {"GET /api/v1/projects/{name}", "GET /api/v1/hosts", "POST /api/v1/projects/{name}/pause"} <= succeeded
