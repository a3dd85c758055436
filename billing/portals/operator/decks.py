"""Decks: the file, the questions it raises, which column is which, what would change, and the yes."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.portals.forms.decks import ColumnsForm, DeckForm, QuestionsForm, question_of, said
from billing.portals.operator.base import OperatorAct, OperatorForm, OperatorView
from billing.portals.views import sentence
from rating.decks import Sample
from rating.models import Carrier, DeckFile, DeckStatus
from rating.selectors import decks, prices
from rating.services import deck_files
from rating.services.deck_memory import MAPPING, Memory, forget
from rating.tasks import work_deck
from tiers.errors import TollgateError
from tiers.roles import May

MOST_ANSWER_CHARS = 200


def go_on_with(deck: DeckFile) -> None:
    """A small file is worked while the person waits, a large one by a worker."""
    if deck_files.is_quick(deck):
        deck_files.work_deck(deck.pk)
    else:
        transaction.on_commit(partial(work_deck.delay, str(deck.pk)))


class UploadDeck(OperatorForm):
    """First step: the file. It is read and kept; nothing is written yet."""

    form_class = DeckForm
    right = May.PRICES
    verb = gettext_lazy("Read the deck")
    lead = gettext_lazy("The next page shows what would change. Nothing is written before you say so.")

    @property
    def heading(self) -> str:  # type: ignore[override]
        return _("Import a deck into %s") % prices.table_by_code(self.viewer, self.kwargs["code"]).name

    @property
    def back(self) -> str:  # type: ignore[override]
        return reverse("operator:table", args=[self.kwargs["code"]])

    def save(self, form: Any) -> HttpResponse:
        table = prices.table_by_code(self.viewer, self.kwargs["code"])
        file = form.cleaned_data["file"]
        deck = deck_files.receive_deck(
            table, file.chunks(), file.name, actor=self.viewer.actor, effective=form.cleaned_data["effective"]
        )
        go_on_with(deck)
        return self.go("deck", deck.pk)


class OneDeck(OperatorView):
    """The deck that the address names, or 404; what a form about it says."""

    right = May.PRICES

    @cached_property
    def deck(self) -> DeckFile:
        return decks.deck_by_id(self.viewer, self.kwargs["deck"])

    @cached_property
    def sample(self) -> Sample | None:
        return deck_files.sample_of(self.deck) if self.deck.status in deck_files.OPEN else None

    def roles(self) -> dict[int, str]:
        """Columns from 0 with their roles: as chosen, or as the header tells."""
        chosen = {int(name[1:]) - 1: role for role, name in self.deck.mapping.items() if name[1:].isdigit()}
        return chosen or (self.sample.roles if self.sample else {})

    def columns_form(self, *data: Any) -> ColumnsForm | None:
        return ColumnsForm(*data, sample=self.sample, roles=self.roles()) if self.sample else None

    def answers(self) -> dict[str, str]:
        """Answers in the form that was posted."""
        return {
            name.removeprefix("answer-"): value[:MOST_ANSWER_CHARS]
            for name, value in self.request.POST.items()
            if name.startswith("answer-") and isinstance(value, str)
        }


class DeckPage(OneDeck):
    """Second step: questions and columns, then what would change; then the yes."""

    template_name = "operator/deck.html"
    right_to_see = True

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self.show()

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return self.decide()
        except TollgateError as error:
            messages.error(request, sentence(error))
            return self.go("deck", self.deck.pk)

    def decide(self) -> HttpResponse:
        given = self.request.POST
        if "import" in given:
            deck = deck_files.confirm_deck(
                self.deck, given.get("token", ""), actor=self.viewer.actor, keep="keep" in given
            )
            go_on_with(deck)
            deck.refresh_from_db()
            if deck.status == DeckStatus.DONE:
                return self.go("table", deck.table.code, said=counts_words(deck))
            return self.go("deck", deck.pk)
        mapping = None
        if "columns" in given:
            columns = self.columns_form(given)
            if columns is None or not columns.is_valid():
                return self.show(columns, status=422)
            mapping = columns.mapping()
        deck = deck_files.answer_deck(
            self.deck,
            actor=self.viewer.actor,
            answers=self.answers(),
            mapping={} if "by_header" in given else mapping,
            effective=parse_datetime(given.get("effective", "")),
        )
        go_on_with(deck)
        return self.go("deck", deck.pk)

    def show(self, columns: ColumnsForm | None = None, status: int = 200) -> HttpResponse:
        deck = self.deck
        questions = [question_of(one) for one in deck.questions or []]
        known = decks.remembered(self.viewer, deck.table)
        return self.page(
            status=status,
            deck=deck,
            table=deck.table,
            **preview_words(deck),
            questions=QuestionsForm(questions=questions, prefix="answer") if questions else None,
            sample=self.sample,
            columns=columns or self.columns_form(),
            no_header=(deck.error or {}).get("code") == "no_header",
            given=[said(key, value) for key, value in sorted(deck.answers.items())],
            remembered=[(carrier, memory_lines(memory)) for carrier, memory in known if memory],
            carriers=[carrier for carrier, _memory in known],
            token=deck_files.token_of(deck),
        )


class DeckRows(OneDeck):
    """The first lines as they would be read with the columns and answers now chosen: the live part of the page."""

    template_name = "operator/deck_rows.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self.rows({f"col-{column}": role for column, role in self.roles().items()})

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self.rows(request.POST)

    def rows(self, chosen: Any) -> HttpResponse:
        columns = self.columns_form(chosen)
        if columns is None:
            return self.page(why=_("This file is not here any more."))
        if not columns.is_valid():
            return self.page(why=" ".join(map(str, columns.non_field_errors())))
        read, why, asked = deck_files.first_rows(self.deck, columns.mapping(), self.answers())
        rows = list(read.rows[: deck_files.MOST_FIRST_ROWS]) if read else []
        rejected = read.rejected[: deck_files.MOST_FIRST_ROWS] if read else []
        questions = [said(question.key, "")[0] for question in asked]
        return self.page(rows=rows, rejected=rejected, why=why, asked=questions, table=self.deck.table)


class DeckProgress(OneDeck):
    """The moving part of a large deck's page; once a person is needed, the page itself is shown anew."""

    template_name = "operator/deck_progress.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = self.page(deck=self.deck)
        if not self.deck.at_work:
            response["HX-Refresh"] = "true"
        return response


class DiscardDeck(OneDeck, OperatorAct):
    """Not this deck."""

    verb = gettext_lazy("Discard")
    danger = True

    def question(self) -> str:
        return _("Discard %s?") % self.deck.name

    def consequence(self) -> str:
        return _("The file goes. No price is touched.")

    def back(self) -> str:
        return reverse("operator:deck", args=[self.kwargs["deck"]])

    def act(self) -> HttpResponse:
        deck_files.discard_deck(self.deck)
        return self.go("table", self.deck.table.code, said=_("%s is discarded.") % self.deck.name)


class ForgetAnswer(OperatorAct):
    """What was answered about a carrier's decks is asked again."""

    right = May.PRICES
    verb = gettext_lazy("Forget")

    @cached_property
    def carrier(self) -> Carrier:
        return prices.carrier_by_code(self.viewer, self.kwargs["code"])

    def question(self) -> str:
        return _("Forget this about decks of %s?") % self.carrier.name

    def consequence(self) -> str:
        return _("The next deck that leaves it open asks again.")

    def back(self) -> str:
        return reverse("operator:carrier", args=[self.kwargs["code"]])

    def act(self) -> HttpResponse:
        forget(self.carrier, actor=self.viewer.actor, key=self.kwargs["key"])
        return self.go("carrier", self.carrier.code, said=_("Forgotten."))


def preview_words(deck: DeckFile) -> dict[str, Any]:
    """What would change, with prices and moments as values."""
    preview = deck.preview
    if deck.status != DeckStatus.READY or not preview:
        return {}
    names = ("before", "after", "share")
    changes = [
        {
            **change,
            **{name: None if change[name] is None else Decimal(change[name]) for name in names},
            "effective_from": datetime.fromisoformat(change["effective_from"]),
        }
        for change in preview["changes"]
    ]
    dates = [(datetime.fromisoformat(one["from"]), one["prefixes"]) for one in preview["dates"]]
    return {"preview": preview, "changes": changes, "dates": dates}


def counts_words(deck: DeckFile) -> str:
    """What an import did, in a sentence."""
    said = _("%(added)d prefixes added, %(changed)d changed, %(closed)d closed, %(unchanged)d unchanged.")
    return said % {name: (deck.result or {}).get(name, 0) for name in ("added", "changed", "closed", "unchanged")}


def memory_lines(memory: Memory) -> list[tuple[str, str, str]]:
    """(key, question, answer) of all that is kept, in words."""
    lines = [(key, *said(key, value)) for key, value in sorted(memory.answers.items())]
    if memory.mapping:
        names = ", ".join(f"{role} = {name}" for role, name in sorted(memory.mapping.items()))
        lines.append((MAPPING, _("Which column is which"), names))
    return lines
