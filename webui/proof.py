"""The password again in the middle of something: what was sent goes on with it, and nothing has to be typed twice."""

from flask import Response, g, make_response, render_template, request

from webui.account_errors import CodeNeeded, LoginRefused
from webui.core import core

PASSWORD, CODE = "proof_password", "proof_code"
NOT_CARRIED = (PASSWORD, CODE, "csrf_token")


def prove_with_form(token: str, address: str) -> Response | None:
    """None when the form that was sent has the right password in it; else the page that asks for it and keeps the form.

    token is that of the session, address where the request came from.
    """
    user, error = g.visit.user, None
    if PASSWORD in request.form:
        try:
            core().accounts.prove(user.name, request.form[PASSWORD], request.form.get(CODE, ""), address)
        except (LoginRefused, CodeNeeded) as refused:
            error = str(refused)
        else:
            core().accounts.prove_again(token)
            return None
    carried = [(name, value) for name, value in request.form.items(multi=True) if name not in NOT_CARRIED]
    page = render_template(
        "auth/prove.html",
        action=request.full_path.rstrip("?"),
        carried=carried,
        names=(PASSWORD, CODE),
        code_needed=user.totp_enabled,
        error=error,
    )
    return make_response(page, 401)
