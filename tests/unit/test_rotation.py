"""Rotation of keys: what works before, during and after, and what each service is told."""

from datetime import UTC, datetime, timedelta

import jwt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from berth import rotation
from berth.project_secrets import InvalidSecrets, ProjectSecrets
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


def test_retirement_leaves_the_new_set_and_may_be_repeated() -> None:
    retired = rotation.retired(OVERLAP)
    assert retired.key_sets == (OVERLAP.current,)
    assert rotation.retired(retired) == retired


def test_overlap_with_an_end_is_over_then_and_stays_in_the_file() -> None:
    timed = rotation.rotated(BEFORE, "blog", NOW, LATER)
    read = ProjectSecrets.from_mapping(timed.as_mapping(), "blog")
    assert read == timed
    assert ids(read.at(LATER - timedelta(seconds=1))) == ["k1", "k2"]
    assert read.at(LATER) == rotation.retired(timed)
    assert ids(rotation.rotated(read, "blog", LATER)) == ["k2", "k3"]


def test_end_of_an_overlap_may_be_moved_and_is_kept_by_a_rotation_without_one() -> None:
    timed = rotation.rotated(OVERLAP, "blog", NOW, LATER)
    assert (ids(timed), timed.retire_at) == (["k1", "k2"], LATER)
    assert rotation.rotated(timed, "blog", NOW).retire_at == LATER
    assert rotation.cut(timed, "blog", NOW).retire_at is None


def test_end_of_an_overlap_that_is_no_time_is_refused() -> None:
    with pytest.raises(InvalidSecrets, match="retire_at"):
        ProjectSecrets.from_mapping(OVERLAP.as_mapping() | {"retire_at": "tomorrow"}, "blog")


def test_number_of_a_set_is_not_given_twice() -> None:
    assert ids(rotation.rotated(rotation.retired(OVERLAP), "blog", LATER)) == ["k2", "k3"]


@pytest.mark.parametrize("secrets", [BEFORE, OVERLAP], ids=["alone", "in an overlap"])
def test_cut_leaves_a_new_set_alone(secrets: ProjectSecrets) -> None:
    [only] = rotation.cut(secrets, "blog", NOW).key_sets
    assert only.number == secrets.current.number + 1


@given(st.lists(st.sampled_from(["rotate", "retire", "now"]), max_size=6))
@settings(max_examples=25, deadline=None)
def test_any_steps_leave_secrets_that_a_file_can_hold_and_two_sets_at_most(steps: list[str]) -> None:
    secrets, seen = BEFORE, {"k1"}
    for step in steps:
        made = {
            "rotate": lambda s: rotation.rotated(s, "blog", NOW),
            "retire": rotation.retired,
            "now": lambda s: rotation.cut(s, "blog", NOW),
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
