"""Sign in with an OpenID provider: the way there, and the answer that a browser brings back."""

from hmac import compare_digest
from urllib.parse import quote, unquote

from flask import Blueprint, g, redirect, request
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as AnyResponse

from consent_server.access import guard as auth
from consent_server.access.credentials import new_token
from consent_server.core.context import context
from consent_server.core.errors import ProviderRefused
from consent_server.core.openid import OpenIdProvider
from consent_server.http.rate_limit import spend_provider
from consent_server.people.browser import this_browser
from consent_server.people.own_path import own_path
from consent_server.people.provider import Secrets, redeem, way_there
from consent_server.people.sign_in_elsewhere import sign_in_elsewhere

bp = Blueprint("provider", __name__, url_prefix="/sign-in/provider")
auth.guard(bp)
COOKIE = "consent-provider"
KEPT_SECONDS = 600


@bp.get("")
def begin() -> AnyResponse:
    """Send the browser there. What binds the answer to it is derived from a cookie with a key of the server."""
    provider = _provider()
    spend_provider()
    seed = f"{new_token()}.{int(context().now().timestamp())}.{quote(own_path(request.args.get('next', '')), safe='')}"
    response = redirect(way_there(provider, _redirect_uri(), _secrets(seed)), 303)
    response.set_cookie(
        COOKIE, seed, max_age=KEPT_SECONDS, path=_path(), secure=auth.is_secure(), httponly=True, samesite="Lax"
    )
    return response


@bp.get("/answer")
def answer() -> AnyResponse:
    """Take the answer, once, of the browser that was sent."""
    ctx, provider = context(), _provider()
    spend_provider()
    seed = request.cookies.get(COOKIE, "")
    _, began, then = [*seed.split(".", 2), "", "", ""][:3]
    secrets = _secrets(seed)
    sent = request.args.get("state", "")
    fresh = began.isascii() and began.isdigit() and ctx.now().timestamp() - int(began) <= KEPT_SECONDS
    if not (seed and fresh and compare_digest(sent.encode("utf-8", "replace"), secrets.state.encode())):
        raise ProviderRefused("This answer is not for what this browser asked, or comes too late. Begin again.")
    # RFC 9207: an answer of another provider is none of this one.
    if request.args.get("iss", provider.issuer) != provider.issuer:
        raise ProviderRefused("This answer is another provider's. Begin again.")
    if "code" not in request.args:
        raise ProviderRefused("The provider did not let you in. Begin again, or sign in with your password.")
    identity = redeem(provider, _redirect_uri(), request.args["code"], secrets, ctx.now())
    g.browser_token = sign_in_elsewhere(ctx.database, provider.issuer, identity, this_browser(), ctx.now())
    response = redirect(request.script_root + own_path(unquote(then)), 303)
    response.delete_cookie(COOKIE, path=_path(), secure=auth.is_secure(), httponly=True, samesite="Lax")
    return response


def _provider() -> OpenIdProvider:
    provider = context().settings.provider
    if provider is None:
        raise NotFound
    return provider


def _secrets(seed: str) -> Secrets:
    # Who has the cookie alone knows none of them: they are keyed, each for itself.
    state, nonce, verifier = (
        context().signer(f"provider-{name}").digest(seed).decode() for name in ("state", "nonce", "verifier")
    )
    return Secrets(state, nonce, verifier)


def _redirect_uri() -> str:
    return f"{context().settings.sign_in_url}/sign-in/provider/answer"


def _path() -> str:
    return f"{request.script_root}/sign-in/provider"
