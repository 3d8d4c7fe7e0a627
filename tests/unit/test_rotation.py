"""Rotation of keys: what works before, during and after, and what each service is told."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import jwt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from berth import rotation
from berth.project_secrets import ProjectSecrets
from berth.rotation import RotationError
from berth.service_keys import service_keys

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=7)
BEFORE = ProjectSecrets.new("blog")
OVERLAP = rotation.rotated(BEFORE, "blog", NOW)


def ids(secrets: ProjectSecrets) -> list[str]:
    return [one.id for one in secrets.key_sets]


def test_rotation_adds_a_set_and_keeps_the_one_before() -> None:
    assert ids(OVERLAP) == ["k1", "k2"]
    assert OVERLAP.key_sets[0] == BEFORE.current
    assert OVERLAP.current.created == NOW
    before, after = (set(map(str, secrets.current.as_mapping().values())) for secrets in (BEFORE, OVERLAP))
    assert before & after == set()
    assert (OVERLAP.owner_password, OVERLAP.auth) == (BEFORE.owner_password, BEFORE.auth)


def test_rotation_under_way_is_not_begun_again() -> None:
    assert rotation.rotated(OVERLAP, "blog", LATER) == OVERLAP


def test_date_of_retirement_can_be_given_with_the_rotation_or_later() -> None:
    at_once = rotation.rotated(BEFORE, "blog", NOW, LATER)
    later = rotation.rotated(OVERLAP, "blog", NOW, LATER)
    for secrets in (at_once, later):
        assert [one.retire_at for one in secrets.key_sets] == [LATER, None]
    assert later.current == OVERLAP.current


def test_retirement_leaves_the_new_set_and_may_be_repeated() -> None:
    retired = rotation.retired(OVERLAP)
    assert retired.key_sets == (OVERLAP.current,)
    assert rotation.retired(retired) == retired


def test_number_of_a_set_is_not_given_twice() -> None:
    assert ids(rotation.rotated(rotation.retired(OVERLAP), "blog", LATER)) == ["k2", "k3"]


@pytest.mark.parametrize("secrets", [BEFORE, OVERLAP], ids=["alone", "in an overlap"])
def test_cut_leaves_a_new_set_alone(secrets: ProjectSecrets) -> None:
    [only] = rotation.cut(secrets, "blog", NOW).key_sets
    assert only.number == secrets.current.number + 1


@pytest.mark.parametrize(("days", "left"), [(6, ["k1", "k2"]), (7, ["k2"]), (8, ["k2"])])
def test_former_set_is_in_force_until_its_date(days: int, left: list[str]) -> None:
    dated = rotation.rotated(OVERLAP, "blog", NOW, LATER)
    assert ids(rotation.in_force(dated, NOW + timedelta(days=days))) == left


def test_former_set_without_a_date_stays_in_force() -> None:
    assert rotation.in_force(OVERLAP, NOW + timedelta(days=10_000)) == OVERLAP


def test_set_in_use_never_ends_by_date() -> None:
    dated = replace(BEFORE, key_sets=(BEFORE.current.retiring(NOW),))
    assert rotation.in_force(dated, LATER) == dated


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-12-24", datetime(2026, 12, 24, tzinfo=UTC)),
        ("2026-12-24T18:00", datetime(2026, 12, 24, 18, tzinfo=UTC)),
        ("2026-12-24T18:00+01:00", datetime(2026, 12, 24, 17, tzinfo=UTC)),
    ],
)
def test_time_of_retirement_is_read(text: str, moment: datetime) -> None:
    assert rotation.parse_retirement(text, NOW) == moment


@pytest.mark.parametrize(
    ("text", "told"), [("soon", "allowed: a date such as"), ("", "allowed: a date"), ("2026-11-25", "which is past")]
)
def test_bad_time_of_retirement_is_refused(text: str, told: str) -> None:
    with pytest.raises(RotationError, match=f"--retire-at: found '{text}'.*{told}"):
        rotation.parse_retirement(text, NOW)


@given(st.lists(st.sampled_from(["rotate", "retire", "now", "date", "apply"]), max_size=6))
@settings(max_examples=25, deadline=None)
def test_any_steps_leave_secrets_that_a_file_can_hold_and_two_sets_at_most(steps: list[str]) -> None:
    secrets, seen = BEFORE, {"k1"}
    for step in steps:
        made = {
            "rotate": lambda s: rotation.rotated(s, "blog", NOW),
            "date": lambda s: rotation.rotated(s, "blog", NOW, LATER),
            "retire": rotation.retired,
            "now": lambda s: rotation.cut(s, "blog", NOW),
            "apply": lambda s: rotation.in_force(s, LATER),
        }[step](secrets)
        new = set(ids(made)) - set(ids(secrets))
        assert not new & seen
        seen |= new
        secrets = made
    assert 1 <= len(secrets.key_sets) <= 2
    assert ProjectSecrets.from_mapping(secrets.as_mapping(), "blog") == secrets


def verified(token: str, keys: list[dict]) -> bool:
    """Return whether one of the keys verifies the token, by its id where it names one."""
    kid = jwt.get_unverified_header(token).get("kid")
    for key in keys:
        if kid is not None and key.get("kid") != kid:
            continue
        try:
            jwt.decode(token, jwt.PyJWK(key), algorithms=[key["alg"]], options={"verify_iat": False})
        except jwt.InvalidTokenError:
            continue
        return True
    return False


@pytest.mark.parametrize("secrets", [BEFORE, OVERLAP], ids=["alone", "in an overlap"])
def test_postgrest_verifies_every_token_and_key_of_every_set(secrets: ProjectSecrets) -> None:
    keys = service_keys(secrets.key_sets)["rest_keys"]["keys"]
    for one in secrets.key_sets:
        for token in (one.anon_key, one.service_role_key, one.anon_token, one.service_token):
            assert verified(token, keys)
    assert not any("d" in key for key in keys)


def test_retired_keys_verify_no_more() -> None:
    keys = service_keys(rotation.retired(OVERLAP).key_sets)["rest_keys"]["keys"]
    old = OVERLAP.key_sets[0]
    assert not any(verified(token, keys) for token in (old.anon_key, old.service_role_key, old.service_token))


@pytest.mark.parametrize("secrets", [BEFORE, OVERLAP], ids=["alone", "in an overlap"])
def test_gotrue_signs_with_the_set_in_use_alone(secrets: ProjectSecrets) -> None:
    keys = service_keys(secrets.key_sets)["auth_keys"]
    [signing] = [key for key in keys if "sign" in key.get("key_ops", [])]
    assert signing["kid"] == secrets.current.signing_key["kid"]
    assert [key["kid"] for key in keys if "kid" in key][1:] == [one.signing_key["kid"] for one in secrets.key_sets[:-1]]
    assert sum("kid" not in key for key in keys) == 1  # GoTrue keeps keys by id
    assert sum("d" in key for key in keys) == 1


@pytest.mark.parametrize("secrets", [BEFORE, OVERLAP], ids=["alone", "in an overlap"])
def test_gotrue_verifies_what_the_gateway_makes_of_every_key(secrets: ProjectSecrets) -> None:
    known = service_keys(secrets.key_sets)
    assert len({key["id"] for key in known["api_keys"]}) == 4 * len(secrets.key_sets)
    for key in known["api_keys"]:
        assert verified(key["token"], known["auth_keys"])
        assert not key["token"].startswith("sb_")
        claims = jwt.decode(key["token"], options={"verify_signature": False})
        assert (claims["role"], claims["ref"]) == (key["role"], "blog")


def test_secret_for_tokens_of_users_from_before_is_kept_until_retirement() -> None:
    old, new = OVERLAP.key_sets
    assert service_keys(OVERLAP.key_sets)["jwt_secret"] == old.jwt_secret
    assert service_keys(rotation.retired(OVERLAP).key_sets)["jwt_secret"] == new.jwt_secret
