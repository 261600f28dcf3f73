"""The doors: name and password, a one-time link, and out again."""

from __future__ import annotations

from datetime import timedelta

from django.contrib import auth
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from nephos.lib import errors as lib_errors
from nephos.web import errors, rendering, services
from nephos.web.throttle import Throttle

_BY_NAME = Throttle(most=5, span=timedelta(minutes=1))
_BY_ADDRESS = Throttle(most=30, span=timedelta(minutes=1))


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def login(request: HttpRequest) -> HttpResponse:
    """Name and password."""
    onward = _onward(request)
    if request.method != "POST":
        return rendering.page(request, "web/login/login.html", next=onward)
    name = request.POST.get("name", "")
    try:
        _enter(request, name, request.POST.get("password", ""))
    except lib_errors.NephosError as error:
        return rendering.page(
            request, "web/login/login.html", status=error.http_status, next=onward, error=error, name=name[:64]
        )
    return HttpResponseRedirect(onward)


@sensitive_variables("password")
def _enter(request: HttpRequest, name: str, password: str) -> None:
    address = str(request.META.get("REMOTE_ADDR", ""))
    keys = ((_BY_NAME, f"{address} {name.lower()[:64]}"), (_BY_ADDRESS, address))
    for throttle, key in keys:
        throttle.check(key)
    try:
        user = services.sign_in(name=name, password=password)
    except errors.WrongPassword:
        for throttle, key in keys:
            throttle.note(key)
        raise
    _BY_NAME.forget(keys[0][1])
    auth.login(request, user)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def link(request: HttpRequest, secret: str) -> HttpResponse:
    """A one-time link. Looking at it does not spend it, for mail programs look; the button does."""
    try:
        if request.method != "POST":
            services.look_at_login_link(secret)
            return rendering.page(request, "web/login/link.html")
        user = services.use_login_link(secret)
    except errors.LinkSpent as error:
        return rendering.page(request, "web/login/link.html", status=error.http_status, error=error)
    auth.login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    return HttpResponseRedirect("/")


@require_POST
def logout(request: HttpRequest) -> HttpResponse:
    """End the session."""
    auth.logout(request)
    return HttpResponseRedirect("/login")


def _onward(request: HttpRequest) -> str:
    wanted = request.POST.get("next") or request.GET.get("next") or "/"
    is_ours = url_has_allowed_host_and_scheme(wanted, allowed_hosts=None)
    return wanted if is_ours and wanted.startswith("/") else "/"
