"""What a customer's own `supabase` package does to a project, once for each form of its URL."""

import uuid
from collections.abc import Iterator
from types import SimpleNamespace

import httpx
import pytest
from clients import support
from postgrest.exceptions import APIError
from supabase import Client, ClientOptions, create_client
from supabase_auth.errors import AuthApiError

PASSWORD = "correct horse battery staple"
YEARS = [1843, 1936, 1949, 1962]


@pytest.fixture(scope="module", params=["domain_url", "path_url"])
def api(project, request) -> Iterator[SimpleNamespace]:
    """Give `connect(key)` for new clients of the project, its keys, and `sign_up()`; users are deleted at the end."""
    url = getattr(project, request.param)
    support.prepare(project.db_url, url, project.anon_key, "py")
    transport = httpx.Client(timeout=30)
    users: list[str] = []

    def connect(key: str = project.anon_key) -> Client:
        return create_client(url, key, ClientOptions(httpx_client=transport, auto_refresh_token=False))

    def sign_up(**data: str) -> SimpleNamespace:
        own, email = connect(), f"py-{uuid.uuid4()}@example.com"
        answer = own.auth.sign_up({"email": email, "password": PASSWORD, "options": {"data": data}})
        assert answer.session, "sign-up gave no session: the project under test needs auth.email_autoconfirm: true"
        users.append(answer.user.id)
        return SimpleNamespace(own=own, email=email, user=answer.user, session=answer.session)

    yield SimpleNamespace(
        url=url, connect=connect, sign_up=sign_up, anon=connect(), service_key=project.service_role_key
    )
    admin = connect(project.service_role_key).auth.admin
    for user_id in users:
        admin.delete_user(user_id)
    transport.close()


@pytest.fixture
def shelf(api) -> Iterator[SimpleNamespace]:
    """Give an author with four books that no other test touches."""
    name = f"author-{uuid.uuid4()}"
    author = api.anon.table("py_authors").insert({"name": name}).execute().data[0]["id"]
    rows = [{"author_id": author, "title": f"{name} {year}", "year": year} for year in YEARS]
    api.anon.table("py_books").insert(rows).execute()
    yield SimpleNamespace(name=name, author=author, books=lambda *columns: api.anon.table("py_books").select(*columns))
    api.anon.table("py_authors").delete().eq("id", author).execute()


def years(query) -> list[int]:
    """Return the years of a query's rows."""
    return [row["year"] for row in query.execute().data]


def test_select_and_filters(shelf):
    """Each filter keeps the rows that it names."""
    mine = lambda: shelf.books("year").eq("author_id", shelf.author)  # noqa: E731
    assert years(mine().order("year")) == YEARS
    assert years(mine().order("year", desc=True)) == YEARS[::-1]
    assert years(mine().in_("year", [1936, 1962, 2000]).order("year")) == [1936, 1962]
    assert years(mine().like("title", f"{shelf.name}%49")) == [1949]
    assert years(mine().order("year").range(1, 2)) == [1936, 1949]


def test_count_is_of_the_whole(api, shelf):
    """A page of two rows comes with the count of all four."""
    query = api.anon.table("py_books").select("year", count="exact").eq("author_id", shelf.author).limit(2)
    answer = query.execute()
    assert (len(answer.data), answer.count) == (2, 4)


def test_embedding_follows_the_foreign_key(api, shelf):
    """A book brings its author, an author its books."""
    book = shelf.books("year, py_authors(name)").eq("title", f"{shelf.name} 1949").single().execute().data
    assert book == {"year": 1949, "py_authors": {"name": shelf.name}}
    author = api.anon.table("py_authors").select("py_books(year)").eq("id", shelf.author).single().execute().data
    assert sorted(row["year"] for row in author["py_books"]) == YEARS


def test_update_upsert_delete(api, shelf):
    """Changes reach only the rows that are meant."""
    table = lambda: api.anon.table("py_books")  # noqa: E731
    table().update({"year": 1937}).eq("title", f"{shelf.name} 1936").execute()
    rows = [{"author_id": shelf.author, "title": f"{shelf.name} {known}", "year": 8} for known in (1843, 8)]
    table().upsert(rows, on_conflict="title").execute()
    table().delete().eq("title", f"{shelf.name} 1962").execute()
    assert years(shelf.books("year").eq("author_id", shelf.author).order("year")) == [8, 8, 1937, 1949]


def test_rpc(api, shelf):
    """A function gets its argument, and sees whom the key stands for."""
    assert 1962 in years(api.anon.rpc("py_books_since", {"first_year": 1950}))
    assert 1949 not in years(api.anon.rpc("py_books_since", {"first_year": 1950}))
    assert api.anon.rpc("py_whoami", {}).execute().data == {"uid": None, "role": "anon", "email": None}


@pytest.mark.parametrize(("change", "code"), [({}, "23505"), ({"title": "x", "year": 0}, "23514")])
def test_database_errors_arrive_with_their_code(api, shelf, change, code):
    """A broken constraint names itself."""
    row = {"author_id": shelf.author, "title": f"{shelf.name} 1949", "year": 1}
    with pytest.raises(APIError) as refusal:
        api.anon.table("py_books").insert(row | change).execute()
    assert refusal.value.code == code


def test_sign_up_and_sign_in(api):
    """A new user can sign in, and the database knows it."""
    new = api.sign_up(nickname="Ada")
    own = api.connect()
    answer = own.auth.sign_in_with_password({"email": new.email, "password": PASSWORD})
    assert answer.user.user_metadata["nickname"] == "Ada"
    assert own.auth.get_user().user.id == new.user.id
    expected = {"uid": new.user.id, "role": "authenticated", "email": new.email}
    assert own.rpc("py_whoami", {}).execute().data == expected


def test_wrong_password(api):
    """Neither a wrong password nor a second sign-up goes through."""
    new = api.sign_up()
    for call, status, code in [
        (
            lambda auth: auth.sign_in_with_password({"email": new.email, "password": "wrong"}),
            400,
            "invalid_credentials",
        ),
        (lambda auth: auth.sign_up({"email": new.email, "password": PASSWORD}), 422, "user_already_exists"),
    ]:
        with pytest.raises(AuthApiError) as refusal:
            call(api.connect().auth)
        assert (refusal.value.status, refusal.value.code) == (status, code)


def test_refresh_and_sign_out(api):
    """A refresh gives new tokens; after sign-out they are worth nothing."""
    new = api.sign_up()
    fresh = new.own.auth.refresh_session().session
    assert fresh.refresh_token != new.session.refresh_token
    new.own.auth.sign_out()
    with pytest.raises(AuthApiError) as refusal:
        api.connect().auth.refresh_session(fresh.refresh_token)
    assert refusal.value.code == "refresh_token_not_found"


def test_update_user(api):
    """Metadata and password change; the old password ends."""
    new = api.sign_up()
    answer = new.own.auth.update_user({"password": "another long password", "data": {"town": "Paris"}})
    assert answer.user.user_metadata["town"] == "Paris"
    with pytest.raises(AuthApiError):
        api.connect().auth.sign_in_with_password({"email": new.email, "password": PASSWORD})
    api.connect().auth.sign_in_with_password({"email": new.email, "password": "another long password"})


def test_admin_with_the_service_key(api):
    """The service key creates, lists and deletes a user."""
    admin = api.connect(api.service_key).auth.admin
    email = f"py-{uuid.uuid4()}@example.com"
    made = admin.create_user({"email": email, "password": PASSWORD, "email_confirm": True}).user
    assert made.id in [user.id for user in admin.list_users(per_page=1000)]
    admin.delete_user(made.id)
    with pytest.raises(AuthApiError) as refusal:
        admin.get_user_by_id(made.id)
    assert refusal.value.status == 404


def test_admin_refuses_the_anonymous_key(api):
    """Without the service key nobody lists users."""
    with pytest.raises(AuthApiError) as refusal:
        api.anon.auth.admin.list_users()
    assert refusal.value.status == 403


def test_row_level_security(api):
    """Each of two users sees its own row, the anonymous key none, the service key both."""
    ada, bob, service = api.sign_up(), api.sign_up(), api.connect(api.service_key)
    run = f"note-{uuid.uuid4()}"
    for user, body in ((ada, f"{run} ada"), (bob, f"{run} bob")):
        user.own.table("py_notes").insert({"body": body}).execute()

    def seen(client: Client) -> list[str]:
        rows = client.table("py_notes").select("body").like("body", f"{run}%").order("body").execute().data
        return [row["body"].removeprefix(f"{run} ") for row in rows]

    assert [seen(ada.own), seen(bob.own), seen(api.anon), seen(service)] == [["ada"], ["bob"], [], ["ada", "bob"]]
    with pytest.raises(APIError) as refusal:
        ada.own.table("py_notes").insert({"body": run, "owner": bob.user.id}).execute()
    assert refusal.value.code == "42501"
    service.table("py_notes").delete().like("body", f"{run}%").execute()
