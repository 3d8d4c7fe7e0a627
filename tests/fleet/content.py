"""What the integration tests put into projects, so that each answer tells which project gave it."""

import psycopg

from fleet.fleet import Project
from fleet.gateway import Gateway
from fleet.services import wait_until

PASSWORD = "correct horse battery staple"

SCHEMA = """
CREATE TABLE IF NOT EXISTS public.marks (project text PRIMARY KEY);
CREATE OR REPLACE FUNCTION public.nap(seconds float) RETURNS text LANGUAGE plpgsql
    AS 'BEGIN PERFORM pg_sleep(seconds); RETURN (SELECT project FROM public.marks); END';
CREATE OR REPLACE FUNCTION public.whoami() RETURNS jsonb LANGUAGE sql STABLE
    AS 'SELECT jsonb_build_object(''uid'', auth.uid(), ''role'', auth.role())';
NOTIFY pgrst, 'reload schema';
"""


def mail(project: Project) -> str:
    """Returns the mail address of the one user of a project."""
    return f"mark@{project.name}.example.com"


def fill(gateway: Gateway, project: Project) -> None:
    """Gives a project its mark, its functions and its user, and returns once its API answers with them."""
    with psycopg.connect(project.db_url, autocommit=True) as connection:
        connection.execute("SET client_min_messages = warning")
        connection.execute(SCHEMA)
        connection.execute("INSERT INTO public.marks VALUES (%s) ON CONFLICT DO NOTHING", (project.name,))
    key = project.service_role_key
    body = {"email": mail(project), "password": PASSWORD, "email_confirm": True}
    made = gateway.ask(project, "/auth/v1/admin/users", key=key, method="POST", json=body)
    assert made.status_code == 200 or "email_exists" in made.text, made.text
    wait_until(lambda: mark(gateway, project) == project.name, f"the API of {project.name} knows the table marks")


def mark(gateway: Gateway, project: Project, **arguments) -> str:
    """Returns the name that the project's REST API gives itself, or the text of its refusal."""
    answer = gateway.ask(project, "/rest/v1/marks", key=project.anon_key, **arguments)
    return answer.json()[0]["project"] if answer.status_code == 200 else answer.text


def sign_in(gateway: Gateway, project: Project, **arguments) -> str:
    """Returns a fresh access token of the project's user; AssertionError when the sign-in fails."""
    body = {"email": mail(project), "password": PASSWORD}
    path = "/auth/v1/token?grant_type=password"
    answer = gateway.ask(project, path, key=project.anon_key, method="POST", json=body, **arguments)
    assert answer.status_code == 200, answer.text
    return answer.json()["access_token"]
