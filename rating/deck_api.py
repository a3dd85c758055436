"""Rate decks by API, in two steps: send a file and see what it would change, then say yes to exactly that."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from rating.models import DeckFile, DeckStatus
from rating.selectors import decks, prices
from rating.services import deck_files
from rating.tasks import work_deck
from tiers.errors import NotFound
from tiers.rest import CodeField, ViewerViewSet, extend_schema
from tiers.roles import May

WORDS = serializers.DictField(child=serializers.CharField(max_length=200))


class DeckIn(serializers.Serializer[Any]):
    table = CodeField()
    file = serializers.FileField()
    effective = serializers.DateTimeField(required=False, help_text="Instead of the dates in the deck.")
    answers = serializers.JSONField(required=False, help_text='Answers by question: {"date_order": "day_first"}.')
    mapping = serializers.JSONField(required=False, help_text='Columns by role: {"code": "#1", "price": "Tarif"}.')

    def validate_answers(self, value: Any) -> dict[str, str]:
        return WORDS.run_validation(value)

    def validate_mapping(self, value: Any) -> dict[str, str]:
        return WORDS.run_validation(value)


class DeckAnswerIn(serializers.Serializer[Any]):
    answers = serializers.DictField(child=serializers.CharField(max_length=200), required=False)
    mapping = serializers.DictField(child=serializers.CharField(max_length=200), required=False)
    effective = serializers.DateTimeField(required=False)


class DeckYesIn(serializers.Serializer[Any]):
    token = serializers.CharField(max_length=64, help_text="That of the preview: a yes to anything else is refused.")
    remember = serializers.BooleanField(default=True, help_text="Keep answers and columns for the carrier's next deck.")


class DeckOut(serializers.Serializer[Any]):
    """`questions` while it waits for answers, `preview` and `token` while for a yes, `result` once it is in."""

    id = serializers.UUIDField()
    table = serializers.CharField(source="table.code")
    name = serializers.CharField()
    status = serializers.ChoiceField(choices=DeckStatus.choices)
    digest = serializers.CharField()
    answers = serializers.JSONField()
    mapping = serializers.JSONField()
    effective = serializers.DateTimeField()
    lines_read = serializers.IntegerField()
    lines = serializers.IntegerField()
    questions = serializers.JSONField()
    preview = serializers.JSONField()
    result = serializers.JSONField()
    error = serializers.JSONField()
    token = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField()

    def get_token(self, row: DeckFile) -> str | None:
        return deck_files.token_of(row) if row.status == DeckStatus.READY else None


class DeckViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ViewerViewSet):
    """Rate decks on their way in. POST one as multipart: it is read and compared, and nothing is written.

    `confirm` with the token of its preview writes it. Large files are worked in the background: ask again.
    """

    serializer_class = DeckOut
    right = May.PRICES

    def get_queryset(self) -> Any:
        return DeckFile.visible.all() if self.is_schema else decks.decks(self.viewer)

    def get_object(self) -> DeckFile:
        found = decks.deck_by_id(self.viewer, self.kwargs["pk"])
        if self.request.method != "GET" and found.table.owner_id != self.viewer.party.pk:
            raise NotFound("no_deck", _("There is no such deck here."))
        return found

    @extend_schema(request={"multipart/form-data": DeckIn}, responses={202: DeckOut})
    def create(self, request: Request) -> Response:
        given = self.checked(DeckIn)
        table = prices.table_by_code(self.viewer, given["table"])
        if table.owner_id != self.viewer.party.pk:
            raise NotFound("no_table", _("There is no such rate table of yours."), where="table")
        file = given["file"]
        made = deck_files.receive_deck(
            table,
            file.chunks(),
            file.name,
            actor=self.viewer.actor,
            effective=given.get("effective"),
            answers=given.get("answers"),
            mapping=given.get("mapping"),
        )
        return self._worked(made)

    @extend_schema(request=DeckAnswerIn, responses={202: DeckOut})
    @action(detail=True, methods=["post"])
    def answer(self, request: Request, pk: str) -> Response:
        """Settle questions, or say which column is which; it is looked at anew."""
        deck = self.get_object()
        given = self.checked(DeckAnswerIn)
        return self._worked(deck_files.answer_deck(deck, actor=self.viewer.actor, **given))

    @extend_schema(request=DeckYesIn, responses={202: DeckOut})
    @action(detail=True, methods=["post"])
    def confirm(self, request: Request, pk: str) -> Response:
        """Write what the preview showed. The same yes again answers the same."""
        deck = self.get_object()
        given = self.checked(DeckYesIn)
        return self._worked(
            deck_files.confirm_deck(deck, given["token"], actor=self.viewer.actor, keep=given["remember"])
        )

    @extend_schema(request=None, responses=DeckOut)
    @action(detail=True, methods=["post"])
    def discard(self, request: Request, pk: str) -> Response:
        """Not this deck; the file goes."""
        deck = self.get_object()
        deck_files.discard_deck(deck)
        deck.refresh_from_db()
        return Response(DeckOut(deck).data)

    def _worked(self, deck: DeckFile) -> Response:
        """A small deck is worked before the answer, a large one by a worker."""
        if deck_files.is_quick(deck):
            deck_files.work_deck(deck.pk)
        elif deck.at_work:
            transaction.on_commit(partial(work_deck.delay, str(deck.pk)))
        deck.refresh_from_db()
        return Response(DeckOut(deck).data, status.HTTP_202_ACCEPTED)
