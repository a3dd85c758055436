"""What the views of the three portals share: the door, the page, the form that posts once, the question before an act.

A view here decides nothing: it reads through selectors with `self.viewer`, writes through one service call, and turns
what a service refuses into words at the field.
"""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.template.response import SimpleTemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.views import View

from billing.portals.look import look_of
from rating.services.guard import BelowCostError
from tiers.errors import Conflict, NotFound, TollgateError
from tiers.ids import uuid7
from tiers.roles import May
from tiers.viewer import Viewer

REFUSED = 422


class PortalView(View):
    """A page of one portal. Strangers go to the login, members of another kind of party get 404.

    `right`: needed to post; `right_to_see` for pages that are of no use without it (forms).
    """

    kind: ClassVar[str]
    right: ClassVar[May | None] = None
    right_to_see: ClassVar[bool] = False
    template_name: str = ""
    viewer: Viewer

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        viewer: Viewer | None = getattr(request, "viewer", None)
        if viewer is None:
            return redirect_to_login(request.get_full_path())
        if viewer.party.kind != self.kind:
            raise Http404
        self.viewer = viewer
        if self.right is not None and (self.right_to_see or request.method not in {"GET", "HEAD"}):
            viewer.require(self.right)
        with timezone.override(look_of(request).zone):
            response = super().dispatch(request, *args, **kwargs)
            if isinstance(response, SimpleTemplateResponse) and not response.is_rendered:
                response.render()
        return response

    def page(self, template: str = "", status: int = 200, **context: Any) -> HttpResponse:
        """Renders the view's template with what it found."""
        return render(self.request, template or self.template_name, context, status=status)

    def go(self, name: str, *args: Any, said: str | Promise = "") -> HttpResponseRedirect:
        """To another page of this portal, with a sentence about what was done."""
        if said:
            messages.success(self.request, str(said))
        return HttpResponseRedirect(reverse(f"{self.kind}:{name}", args=args))


class FormPage(PortalView):
    """A form: shown, posted, then the reader goes on (so that a reload posts nothing again)."""

    form_class: ClassVar[type[forms.Form]]
    template_name = "components/form_page.html"
    right_to_see = True
    heading: str | Promise = ""
    verb: str | Promise = ""
    lead: str | Promise = ""
    back: str = ""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self.form_page(self.form())

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        form = self.form(request.POST, request.FILES)
        if form.is_valid():
            try:
                return self.save(form)
            except NotFound as error:
                raise Http404 from error
            except TollgateError as error:
                explain(form, error)
        return self.form_page(form, status=REFUSED)

    def form(self, *data: Any) -> forms.Form:
        return self.form_class(*data, **self.form_arguments())

    def form_arguments(self) -> dict[str, Any]:
        """Keyword arguments of the form; many forms want `viewer`."""
        return {}

    def save(self, form: Any) -> HttpResponse:
        """Calls one service with `form.cleaned_data` and says where to go."""
        raise NotImplementedError

    def form_page(self, form: forms.Form, status: int = 200) -> HttpResponse:
        return self.page(status=status, form=form, view=self, **self.more_context(form))

    def more_context(self, form: forms.Form) -> dict[str, Any]:
        return {}


class Act(PortalView):
    """One deed behind a button. GET asks first, naming the object; POST does it."""

    template_name = "components/confirm_page.html"
    right_to_see = True
    verb: str | Promise = ""
    danger: bool = False

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self.page(view=self, question=self.question(), consequence=self.consequence(), back=self.back())

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return self.act()
        except NotFound as error:
            raise Http404 from error
        except TollgateError as error:
            messages.error(request, sentence(error))
            return HttpResponseRedirect(self.back())

    def act(self) -> HttpResponse:
        raise NotImplementedError

    def question(self) -> str:
        raise NotImplementedError

    def consequence(self) -> str:
        return ""

    def back(self) -> str:
        raise NotImplementedError


class OnceForm(forms.Form):
    """Carries a key made when the form was shown: the same click twice moves money once."""

    key = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["key"].initial = uuid7

    def once(self, purpose: str) -> str:
        """The idempotency key of this click for a service."""
        key: UUID = self.cleaned_data["key"]
        return f"form:{purpose}:{key}"


def explain(form: forms.Form, error: TollgateError) -> None:
    """What a service refused, at the field it names, else above the form."""
    form.below = error if isinstance(error, BelowCostError) else None  # type: ignore[attr-defined]
    field = error.where if error.where in form.fields and not form.fields[error.where].widget.is_hidden else None
    form.add_error(field, sentence(error))


def sentence(error: TollgateError) -> str:
    if isinstance(error, Conflict) and not error.message:
        return _("The state of things does not allow this now.")
    return " ".join(filter(None, [error.message, error.hint]))
