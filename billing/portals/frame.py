"""The frame's own addresses: the way in, a brand's colours and logo, acting for a party below."""

from __future__ import annotations

from uuid import UUID

from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.cache import patch_cache_control
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST

from billing.portals import colour
from billing.portals.look import DEFAULT_ACCENT, look_of
from tiers.middleware import ACTING_FOR
from tiers.models import Member
from tiers.roles import May
from tiers.selectors.look import logo_of
from tiers.services.acting import party_to_act_for, record_start, record_stop
from tiers.viewer import Viewer

DAY_S = 24 * 3600


@require_GET
def front_door(request: HttpRequest) -> HttpResponse:
    """`/`: a member goes to the portal of the party it looks for, anyone else to the login."""
    viewer: Viewer | None = getattr(request, "viewer", None)
    return HttpResponseRedirect(reverse(f"{viewer.party.kind}:home" if viewer else "account_login"))


@require_GET
def alarm(request: HttpRequest, alarm: UUID) -> HttpResponse:
    """`/alarms/ID/`, as mails name it: a member goes to its own portal, anyone else to the login and then there."""
    viewer: Viewer | None = getattr(request, "viewer", None)
    if viewer is None:
        return redirect_to_login(request.get_full_path())
    return HttpResponseRedirect(reverse(f"{viewer.party.kind}:alarm", args=[alarm]))


@require_GET
def look_css(request: HttpRequest) -> HttpResponse:
    """The accent as a style sheet: `?accent=1f5fbf`. It says nothing but what was asked, so it may be kept for ever."""
    asked = f"#{request.GET.get('accent', '')}"
    accent = asked if colour.is_colour(asked) else DEFAULT_ACCENT
    parts = {"light": colour.for_light(accent), "dark": colour.for_dark(accent)}
    response = HttpResponse(render_to_string("look.css", parts), content_type="text/css")
    patch_cache_control(response, public=True, max_age=365 * DAY_S, immutable=True)
    return response


@require_GET
def look_logo(request: HttpRequest) -> HttpResponse:
    """The logo of the brand that this reader meets; the address names no other."""
    brand = look_of(request).brand
    picture = logo_of(brand) if brand else b""
    if not picture:
        raise Http404
    response = HttpResponse(picture, content_type="image/png")
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    patch_cache_control(response, private=True, max_age=DAY_S)
    return response


@require_POST
def start_acting(request: HttpRequest) -> HttpResponse:
    """From now on this session looks and writes for a party below; the trail names both."""
    member = request.user
    if not isinstance(member, Member):
        return HttpResponseRedirect(reverse("account_login"))
    own = Viewer.of_member(member)
    own.require(May.ACT_FOR)
    party = party_to_act_for(own, request.POST.get("party", ""))
    if party is None:
        raise Http404
    record_start(own, party)
    request.session[ACTING_FOR] = str(party.pk)
    return HttpResponseRedirect("/")


@require_POST
def stop_acting(request: HttpRequest) -> HttpResponse:
    """Back to the member's own portal, to the page it came from where that is safe."""
    viewer: Viewer | None = getattr(request, "viewer", None)
    if viewer and viewer.acting:
        record_stop(viewer)
    request.session.pop(ACTING_FOR, None)
    target = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return HttpResponseRedirect(target if safe else "/")
