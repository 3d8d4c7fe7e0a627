"""Project names: which are refused, and that no two accepted ones ever meet on a host."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from berth.errors import BerthError
from berth.names import (
    RESERVED_NAMES,
    SERVICES,
    InvalidName,
    auth_port,
    cluster_port,
    database_name,
    login_role,
    system_user,
    validate_name,
)

ROLES_OF_EVERY_CLUSTER = {"postgres", "anon", "authenticated", "service_role", "authenticator", "supabase_auth_admin"}
DATABASES_OF_EVERY_CLUSTER = {"postgres", "template0", "template1", "berth_template"}
USERS_OF_EVERY_HOST = {"berth-meta", "berth-storage", "berth-realtime", "berth-functions"}

# Pieces that would meet if a separator were lost or a service's suffix taken for part of a name
tricky_names = st.lists(
    st.sampled_from(["a", "1", "blog", "rest", "auth", "owner", "pg", "berth", "template", "-", "_", "--", "x" * 9]),
    min_size=1,
    max_size=5,
).map("".join)


def accepted(name: str) -> bool:
    try:
        validate_name(name)
    except InvalidName:
        return False
    return True


@pytest.mark.parametrize("name", ["ab", "blog", "my-blog-2", "a" * 24, "pgblog", "berthold", "blog-rest-2"])
def test_good_name_is_accepted(name: str) -> None:
    validate_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "a",
        "a" * 25,
        "1blog",
        "-blog",
        "blog-",
        "my--blog",
        "my_blog",
        "Blog",
        "blog.example",
        "blog/../shop",
        "blog\n",
        "blog ",
        "bl\u043eg",  # Cyrillic o
        "\uff42log",  # full-width b, which NFKC makes a plain one
        "blo\u0261",
        "blog\u0661",  # Arabic digit one
        None,
        7,
        ["blog"],
    ],
)
def test_malformed_name_is_refused_with_the_rule(name: object) -> None:
    with pytest.raises(InvalidName, match=r"2 to 24 of a-z.*choose another"):
        validate_name(name)


@pytest.mark.parametrize(
    "name", [*sorted(RESERVED_NAMES), "berth-x", "supabase-auth", "pg-1", "blog-rest", "blog-owner"]
)
def test_reserved_name_is_refused(name: str) -> None:
    with pytest.raises(InvalidName, match=r"reserved"):
        validate_name(name)


@pytest.mark.parametrize("name", ["postgres", "template1", "public", "service-role", "pg", "meta", "no", "sameuser"])
def test_name_with_another_meaning_is_reserved(name: str) -> None:
    assert name in RESERVED_NAMES


def test_refusal_is_both_a_berth_error_and_a_value_error() -> None:
    with pytest.raises(InvalidName) as caught:
        validate_name("root")
    assert isinstance(caught.value, BerthError)
    assert isinstance(caught.value, ValueError)
    assert "'root'" in str(caught.value)


def test_derived_names() -> None:
    assert database_name("my-blog") == "my_blog"
    assert system_user("my-blog") == "berth-my-blog"
    assert login_role("my-blog", "rest") == "my_blog_rest"


@pytest.mark.parametrize("derive", [database_name, system_user, lambda name: login_role(name, "rest")])
def test_nothing_is_derived_from_a_refused_name(derive) -> None:
    with pytest.raises(InvalidName):
        derive("my_blog")


def test_unknown_service_has_no_login() -> None:
    with pytest.raises(ValueError, match="allowed: auth, owner"):
        login_role("blog", "admin")


@pytest.mark.parametrize(("number", "port"), [(1, 20001), (9900, 29900)])
def test_auth_port(number: int, port: int) -> None:
    assert auth_port(number) == port


@pytest.mark.parametrize("derive", [auth_port, cluster_port])
@pytest.mark.parametrize("number", [0, -1, 9901])
def test_number_without_a_port_is_refused(number: int, derive) -> None:
    with pytest.raises(ValueError, match="allowed: 1 to 9900"):
        derive(number)


@given(tricky_names, tricky_names)
@example("blog", "blog-rest")
@example("blog-rest", "blog-auth")
def test_no_two_names_meet(one: str, other: str) -> None:
    if one == other or not (accepted(one) and accepted(other)):
        return
    assert database_name(one) != database_name(other)
    assert system_user(one) != system_user(other)
    roles_of_one = {database_name(one), *(login_role(one, service) for service in SERVICES)}
    assert roles_of_one.isdisjoint({database_name(other), *(login_role(other, service) for service in SERVICES)})


@given(tricky_names | st.sampled_from(["pg", "meta", "postgres", "supabase", "service"]) | st.text(max_size=30))
def test_no_name_meets_what_a_host_already_has(name: str) -> None:
    if not accepted(name):
        return
    roles = {login_role(name, service) for service in SERVICES}
    assert database_name(name) not in DATABASES_OF_EVERY_CLUSTER
    assert system_user(name) not in USERS_OF_EVERY_HOST
    assert len(system_user(name)) <= 31
    assert roles.isdisjoint(ROLES_OF_EVERY_CLUSTER)
    assert not any(role.startswith("pg_") or len(role) > 63 for role in roles)
    assert name.isascii()
    assert name == name.lower()
