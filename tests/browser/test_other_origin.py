"""A page of another origin that works with a project through supabase-js, in Chromium."""

import shutil
import threading
import uuid
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from clients import support
from playwright.sync_api import Page

PAGE = '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><script src="supabase.js"></script>'
BUNDLE = "@supabase/supabase-js/dist/umd/supabase.js"

WORK = """async ({ url, key, run }) => {
    const ok = ({ data, error }) => { if (error) throw new Error(JSON.stringify(error)); return data }
    const api = supabase.createClient(url, key)
    const author = ok(await api.from('web_authors').insert({ name: run }).select().single())
    const books = [1843, 1949].map((year) => ({ author_id: author.id, title: `${run} ${year}`, year }))
    ok(await api.from('web_books').insert(books))
    const shelf = ok(await api.from('web_authors').select('name, web_books(year)').eq('name', run).single())
    const counted = await api.from('web_books').select('*', { count: 'exact', head: true }).eq('author_id', author.id)
    ok(await api.from('web_authors').delete().eq('id', author.id))
    const before = ok(await api.rpc('web_whoami'))
    const email = `${run}@example.com`, password = 'correct horse battery staple'
    const { user } = ok(await api.auth.signUp({ email, password }))
    await api.auth.signOut()
    ok(await api.auth.signInWithPassword({ email, password }))
    ok(await api.from('web_notes').insert({ body: run }))
    const notes = ok(await api.from('web_notes').select('body'))
    ok(await api.from('web_notes').delete().eq('body', run))
    const after = ok(await api.rpc('web_whoami'))
    await api.auth.signOut()
    return { shelf, count: counted.count, before, after, notes, userId: user.id, email, origin: location.origin }
}"""

REFUSED = """async ({ url, key, service }) => {
    const look = async (response) => ({ status: response.status, body: await response.json() })
    const asked = (service, headers) => fetch(`${url}/${service}`, { headers }).then(look)
    return [
        await asked(service, { apikey: key, authorization: `Bearer ${key}` }),
        await asked(service, {}),
    ]
}"""


class Quiet(SimpleHTTPRequestHandler):
    """Serves files without a line on stderr for each."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def origin(tmp_path_factory) -> Iterator[str]:
    """Give the origin of a page that loads the UMD bundle of supabase-js."""
    folder: Path = tmp_path_factory.mktemp("page")
    (folder / "index.html").write_text(PAGE, encoding="utf-8")
    shutil.copy(support.node_modules() / BUNDLE, folder / "supabase.js")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def page(browser, origin) -> Iterator[Page]:
    """Give the loaded page; what its console says is in `page.complaints`."""
    page = browser.new_page()
    page.complaints = []
    page.on("console", lambda message: page.complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.goto(f"{origin}/index.html")
    yield page
    page.close()


@pytest.fixture(params=["domain_url", "path_url"])
def url(project, request) -> str:
    """Give one form of the project's URL, with the suite's tables behind it."""
    address = getattr(project, request.param)
    support.prepare(project.db_url, address, project.anon_key, "web")
    return address


def test_page_of_another_origin_works(project, page, origin, url):
    """Select, insert, count, sign-up, sign-in and rpc succeed, and the console stays silent."""
    run = f"web-{uuid.uuid4()}"
    result = page.evaluate(WORK, {"url": url, "key": project.anon_key, "run": run})
    assert result["origin"] == origin
    assert result["shelf"]["name"] == run
    assert sorted(book["year"] for book in result["shelf"]["web_books"]) == [1843, 1949]
    assert result["count"] == 2, "the page could not read Content-Range"
    assert result["before"] == {"uid": None, "role": "anon", "email": None}
    assert result["after"] == {"uid": result["userId"], "role": "authenticated", "email": result["email"]}
    assert result["notes"] == [{"body": run}]
    assert page.complaints == []
    key = {"apikey": project.service_role_key, "Authorization": f"Bearer {project.service_role_key}"}
    assert httpx.delete(f"{url}/auth/v1/admin/users/{result['userId']}", headers=key).status_code == 200


@pytest.mark.parametrize("service", ["rest/v1/web_books", "auth/v1/settings"])
def test_refusal_is_readable_for_the_page(project, page, url, service):
    """With a wrong key and with none the page gets 401 and may read the JSON that says why."""
    wrong = project.anon_key[:-4] + ("BBBB" if project.anon_key.endswith("AAAA") else "AAAA")
    for refusal in page.evaluate(REFUSED, {"url": url, "key": wrong, "service": service}):
        assert refusal["status"] == 401
        assert refusal["body"].get("message") or refusal["body"].get("msg"), refusal["body"]
    assert not [text for text in page.complaints if "CORS" in text]
