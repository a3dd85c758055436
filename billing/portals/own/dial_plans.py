"""Dial plans in a seller's portal: the form of one, and the page to try numbers."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.portals.forms.dial_plans import DialPlanForm, TryNumbersForm, country_name
from billing.portals.views import FormPage, PortalView
from rating.numbers import ServiceClass
from rating.numbers.trace import Step, emergency_numbers
from rating.pricing.current import current_engine
from rating.selectors.dial_plans import Tried, known_plans, try_numbers
from rating.services.dial_plans import set_brand_plan
from tiers.errors import NotFound
from tiers.models import Brand, Kind
from tiers.roles import May
from tiers.selectors import people

CLASSES: dict[str, Any] = {
    ServiceClass.ON_NET: gettext_lazy("in the house"),
    ServiceClass.LOCAL: gettext_lazy("local"),
    ServiceClass.LONG_DISTANCE: gettext_lazy("long distance"),
    ServiceClass.INTERNATIONAL: gettext_lazy("international"),
    ServiceClass.MOBILE: gettext_lazy("mobile"),
    ServiceClass.PREMIUM: gettext_lazy("premium"),
    ServiceClass.TOLL_FREE: gettext_lazy("toll-free"),
    ServiceClass.EMERGENCY: gettext_lazy("emergency, always free"),
}
STEPS: dict[str, Any] = {
    "emergency": gettext_lazy("%(detail)s is an emergency number here"),
    "extension": gettext_lazy("so few digits are an extension"),
    "range": gettext_lazy("it lies in an on-net range"),
    "access_code": gettext_lazy("the access code %(detail)s is taken off"),
    "abroad": gettext_lazy("%(detail)s stands for +"),
    "country_code": gettext_lazy("the country code is %(detail)s"),
    "short": gettext_lazy("it is a short service number of the country"),
    "national": gettext_lazy("it is a number of the home country"),
    "without_plus": gettext_lazy("it begins with a country code, the + is missing"),
    "length": gettext_lazy("it has the length of a number of the home country"),
}


def step_words(step: Step) -> str:
    """A step in words."""
    words = str(STEPS[step.rule]) % {"detail": step.detail}
    if step.rule in ("national", "length") and step.detail:
        word = _("without the trunk prefix %s") if step.detail.startswith("-") else _("with the area code %s")
        words += ", " + word % step.detail[1:]
    return words


def words_of(tried: Tried) -> dict[str, Any]:
    """One number's line on the page."""
    good = tried.good
    return {
        "tried": tried,
        "good": good,
        "bad": tried.bad,
        "country": country_name(tried.region),
        "class": CLASSES[good.service_class] if good else "",
        "steps": [step_words(step) for step in tried.reading.steps],
    }


class TryNumbers(PortalView):
    """Several numbers as dialled: how each is read, what it is, and what a minute of it would cost a customer."""

    template_name = "own/numbers.html"

    def tabs(self) -> Any:
        raise NotImplementedError

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        plans = known_plans(self.viewer)
        asked = request.GET if "numbers" in request.GET else None
        customers = people.parties_below(self.viewer).filter(kind=Kind.CUSTOMER).order_by("code")
        initial = {"plan": request.GET.get("plan", ""), "numbers": ""}
        form = TryNumbersForm(asked, plans=plans, customers=customers, initial=initial)
        lines, plan = [], None
        if asked is not None and form.is_valid():
            data = form.cleaned_data
            plan = next(one for one in plans if one.key == data["plan"])
            found = try_numbers(plan.plan, data["numbers"], data["customer"], current_engine())
            lines = [words_of(one) for one in found]
        emergency = [*emergency_numbers(plan.plan.home_country), *plan.plan.emergency] if plan else []
        return self.page(
            tabs=self.tabs(),
            form=form,
            lines=lines,
            plan=plan,
            country=country_name(plan.plan.home_country) if plan else "",
            emergency=emergency,
            customer=form.cleaned_data.get("customer") if lines else None,
        )


class PlanPage(FormPage):
    """The dial plan of something, in fields. The heads of the portals say of what."""

    form_class = DialPlanForm
    template_name = "own/dial_plan.html"
    verb = gettext_lazy("Save")
    try_url = ""

    def standing(self) -> dict[str, Any]:
        """The plan as it is kept; empty for none of its own."""
        raise NotImplementedError

    def key(self) -> str:
        """Under which the page of trying knows it."""
        raise NotImplementedError

    def form_arguments(self) -> dict[str, Any]:
        return {"initial": DialPlanForm.initial_of(self.standing())}

    def more_context(self, form: forms.Form) -> dict[str, Any]:
        region = form["home_country"].value()
        known = region and region in dict(form.fields["home_country"].choices)  # type: ignore[attr-defined]
        return {
            "country": country_name(region) if known else "",
            "emergency": emergency_numbers(region) if known else (),
            "try_url": f"{self.try_url}?plan={self.key()}",
            "has_own": bool(self.standing()),
        }


class BrandPlan(PlanPage):
    """The dial plan of a brand of the viewer's own."""

    right = May.SETTINGS
    lead = gettext_lazy("For quotes and live calls of its customers, and for sources without a plan of their own.")

    @property
    def brand(self) -> Brand:
        found = people.own_brands(self.viewer).filter(code=self.kwargs["code"]).first()
        if found is None:
            raise NotFound("no_brand", _("There is no such brand here."))
        return found

    @property
    def heading(self) -> str:  # type: ignore[override]
        return _("Dial plan of %s") % self.brand.name

    def standing(self) -> dict[str, Any]:
        return next(
            (dict(one.plan.to_json()) for one in known_plans(self.viewer) if one.key == self.key() and one.own), {}
        )

    def key(self) -> str:
        return f"brand:{self.kwargs['code']}"

    def save(self, form: Any) -> HttpResponse:
        set_brand_plan(self.brand, form.plan(), actor=self.viewer.actor)
        return self.done()

    def done(self) -> HttpResponse:
        """Where to after saving."""
        raise NotImplementedError
