"""Which people may use which address of the web UI: one line for each, from nobody to an admin."""

PEOPLE = ("nobody", "member", "viewer of blog", "operator of blog", "viewer", "operator", "admin")
LOG_IN, OK, FORBIDDEN, HIDDEN = "in", "ok", "no", "--"

# method, address as the application declares it: what each of PEOPLE gets, for the project blog where there is one
ROUTES = {
    "GET /static/<path:filename>": "ok ok ok ok ok ok ok",
    "GET /healthz": "ok ok ok ok ok ok ok",
    "GET /login": "ok ok ok ok ok ok ok",
    "POST /login": "ok ok ok ok ok ok ok",
    "GET /login/provider": "-- -- -- -- -- -- --",
    "GET /login/provider/back": "-- -- -- -- -- -- --",
    "GET /welcome/<token>": "ok ok ok ok ok ok ok",
    "POST /welcome/<token>": "ok ok ok ok ok ok ok",
    "GET /prove": "in ok ok ok ok ok ok",
    "POST /prove": "in ok ok ok ok ok ok",
    "GET /account": "in ok ok ok ok ok ok",
    "POST /account/password": "in ok ok ok ok ok ok",
    "GET /account/totp": "in ok ok ok ok ok ok",
    "POST /account/totp": "in ok ok ok ok ok ok",
    "GET /": "in ok ok ok ok ok ok",
    "GET /hosts/<name>": "in -- -- -- ok ok ok",
    "GET /hosts/<name>/what-if": "in -- -- -- ok ok ok",
    "GET /projects": "in ok ok ok ok ok ok",
    "GET /projects/new": "in -- -- -- no ok ok",
    "GET /projects/new/name": "in -- -- -- no ok ok",
    "GET /projects/new/host": "in -- -- -- no ok ok",
    "POST /projects/new": "in -- -- -- no ok ok",
    "GET /projects/<name>": "in -- ok ok ok ok ok",
    "GET /projects/<name>/keys": "in -- no ok no ok ok",
    "GET /projects/<name>/rotate": "in -- no ok no ok ok",
    "POST /projects/<name>/rotate": "in -- no ok no ok ok",
    "GET /projects/<name>/conversion": "in -- no ok no ok ok",
    "POST /projects/<name>/conversion": "in -- no ok no ok ok",
    "POST /projects/<name>/prove": "in -- no ok no ok ok",
    "POST /projects/<name>/usage": "in -- no ok no ok ok",
    "POST /projects/<name>/update": "in -- no ok no ok ok",
    "POST /projects/<name>/domains": "in -- no ok no ok ok",
    "POST /projects/<name>/<any(pause, resume):action>": "in -- no ok no ok ok",
    "GET /projects/<name>/remove": "in -- no ok no ok ok",
    "POST /projects/<name>/remove": "in -- no ok no ok ok",
    "POST /projects/<name>/apply": "in -- no ok no ok ok",
    "POST /apply": "in -- -- -- no no ok",
    "GET /runs": "in ok ok ok ok ok ok",
    "GET /runs/<int:run_id>": "in -- ok ok ok ok ok",
    "GET /runs/<int:run_id>/stream": "in -- ok ok ok ok ok",
    "GET /runs/<int:run_id>/log": "in -- ok ok ok ok ok",
    "POST /runs/<int:run_id>/cancel": "in -- no ok no ok ok",
    "POST /runs/<int:run_id>/again": "in -- no ok no ok ok",
    "POST /runs/<int:run_id>/carry-out": "in -- no ok no ok ok",
    "GET /audit": "in -- -- -- no no ok",
    "GET /users": "in -- -- -- no no ok",
    "POST /users": "in -- -- -- no no ok",
    "POST /users/<int:user_id>": "in -- -- -- no no ok",
    "POST /users/<int:user_id>/link": "in -- -- -- no no ok",
    "GET /tokens": "in ok ok ok ok ok ok",
    "POST /tokens": "in ok ok ok ok ok ok",
    "POST /tokens/<int:token_id>/revoke": "in -- -- -- -- -- ok",
    "GET /doctor": "in -- -- -- ok ok ok",
    "POST /doctor/examine": "in -- -- -- no no ok",
    "POST /doctor/repair": "in -- -- -- no no ok",
    "POST /logout": "ok ok ok ok ok ok ok",
}


def expected(route: str, person: str) -> str:
    """What somebody gets there."""
    return ROUTES[route].split()[PEOPLE.index(person)]
