"""Whatever the API is sent, it answers as its document says (Schemathesis)."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.config import SchemathesisConfig
from schemathesis.generation.meta import TestPhase
from schemathesis.specs.openapi.checks import negative_data_rejection

from accounts.models import Role
from config.wsgi import application
from credits.api import api
from tests.factories import make_account, make_member, make_wallet

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "owner"])

ACCOUNT = "acc_7k3m0q2w9x4t6y8z1b5c"
MEMBER = "ann@northwind.example"
JOB = {"account": ACCOUNT, "lines": [{"feature": "look", "quantity": 100}]}
BATCH = "/api/v1/debits/batch"

# What exists here, when there were rates, and days that make no span too long: no
# document can tell. The features are timed: a hundred lines of the most cost no more
# than can be counted.
KNOWN = {
    "account": [ACCOUNT],
    "feature": ["avatar-iii", "avatar-iv", "expressive-motion"],
    "from": ["2026-02-28", "2026-03-01"],
    "member": [MEMBER, None],
    "ran_at": ["2026-02-28T12:00:00Z", None],
    "to": ["2026-03-02", "2026-04-01"],
}
CONFIG = {
    "seed": 1,
    "generation": {
        "deterministic": True,
        "max-examples": 50,
        "with-security-parameters": False,  # keys are real ones
    },
    "checks": {
        "positive_data_acceptance": {
            # There may be too few credits, and keys and holds are used up.
            "expected-statuses": ["2xx", "402", "404", "409"]
        }
    },
}
# How slowly it draws, and that fixtures last for all its examples, is well known.
CALM = settings(suppress_health_check=list(HealthCheck), deadline=None)


def known_document():
    """Return the API's document, told what exists."""
    document = json.loads(json.dumps(api.get_openapi_schema()))
    for name, body in document["components"]["schemas"].items():
        if name.endswith("In"):
            for member in KNOWN.keys() & body["properties"].keys():
                body["properties"][member] = {"enum": KNOWN[member]}
    for path in document["paths"].values():
        for operation in path.values():
            for parameter in operation["parameters"]:
                if parameter["name"] in KNOWN:
                    parameter["schema"] = {"enum": KNOWN[parameter["name"]]}
    return document


schema = schemathesis.openapi.from_dict(
    known_document(), config=SchemathesisConfig.from_dict(CONFIG)
)
schema.app = application


class Product:
    """The product's backend, talked into sending anything at all."""

    def __init__(self, caller):
        self._caller = caller
        self._headers = {"Authorization": f"Bearer {caller.token}"}

    def send(self, case):
        if case.meta.generation.mode.is_positive:
            self._make_sense_of(case)
        return case.call(headers=self._headers)

    def check(self, response, case, **options):
        # A batch is answered item by item, also when an item is not as it should be.
        is_batch = case.operation.path == BATCH and response.status_code == 200
        case.validate_response(
            response,
            headers=self._headers,
            transport_kwargs={"headers": self._headers},
            excluded_checks=[negative_data_rejection] if is_batch else [],
            **options,
        )

    def _make_sense_of(self, case):
        phase = case.meta.phase.name
        if phase != TestPhase.COVERAGE:  # which tries keys of its own
            case.headers["Idempotency-Key"] = case.id
        if phase != TestPhase.STATEFUL and "hold_id" in case.path_parameters:
            case.path_parameters["hold_id"] = self._hold(key=f"hold for {case.id}")
        if isinstance(case.body, dict) and case.body.get("quote"):
            case.body["quote"] = self._caller.post("/quotes", JOB).json()["quote"]

    def _hold(self, *, key):
        return self._caller.post("/holds", JOB, key=key).json()["hold"]


@pytest.fixture
def product(transactional_db, rates, caller_for):
    account = make_account("Northwind", public_id=ACCOUNT)
    make_member(account, Role.MEMBER, MEMBER)
    make_wallet(account, {"a": (10**12, None), "b": (10**6, timedelta(days=40_000))})
    return Product(caller_for(account))


def workflow(product):
    """Return the machine that follows the document's links."""

    class Workflow(schema.as_state_machine()):
        def call(self, case, **_):
            return product.send(case)

        def validate_response(self, response, case, **_):
            product.check(response, case, recorder=self.recorder)

    return Workflow


class TestOperation:
    @schema.parametrize()
    @CALM
    def test_keeps_to_the_document(self, case, product):
        product.check(product.send(case), case)


@pytest.mark.full
class TestOperationAtLength:
    @schema.parametrize()
    @settings(CALM, max_examples=1_000)
    def test_keeps_to_the_document(self, case, product):
        product.check(product.send(case), case)


class TestWorkflow:
    @pytest.mark.parametrize("runs", [10, pytest.param(200, marks=pytest.mark.full)])
    def test_keeps_to_the_document(self, product, runs):
        limits = settings(
            CALM, max_examples=runs, stateful_step_count=6, derandomize=True
        )

        workflow(product).run(settings=limits)
